# SPDX-License-Identifier: Apache-2.0
"""A text adventure's helper: the shortest way to fetch every treasure of a dungeon.

To find, largest first (fettle run -s cumulative dungeon.py):

1. shortest_tour tries every order of the treasures and asks `steps` for each leg of it: 5040 times
   for 42 different questions. The number of calls says so; keeping the answers is the cure.
2. steps looks for visited rooms in a list and takes the next room from the front of a list, so its
   cost grows with the square of the dungeon. Its own time says so; a set and a deque are the cure.
3. neighbours is called for each room of each walk, and reads the same walls again every time.
"""

from itertools import permutations

DUNGEON = """\
########################
#S...#....a#...........#
#.##.#.###.#.#########.#
#.#..#.#...#.#...b...#.#
#.#.##.#.###.#.#####.#.#
#.#....#.....#.....#.#.#
#.############.###.#.#.#
#......#.....#.#c..#...#
######.#.###.#.#####.###
#d...#.#.#...#.....#...#
#.##.#.#.#.#######.###.#
#.#..#...#.#...e.#.....#
#.#.######.#.###.#####.#
#.#........#.#f..#.....#
#.##########.#####.###.#
#..................#...#
#.####.#########.###.###
#....#.........#.......#
########################
"""


def read_rooms(text):
    """{(row, column): what stands there} of every place that is not a wall."""
    return {
        (row, column): what
        for row, line in enumerate(text.splitlines())
        for column, what in enumerate(line)
        if what != "#"
    }


def neighbours(rooms, room):
    """The rooms one step away."""
    row, column = room
    around = ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1))
    return [place for place in around if place in rooms]


def steps(rooms, start, goal):
    """How many steps the shortest way from start to goal has."""
    visited = [start]
    waiting = [(start, 0)]
    while waiting:
        room, walked = waiting.pop(0)
        if room == goal:
            return walked
        for place in neighbours(rooms, room):
            if place not in visited:
                visited.append(place)
                waiting.append((place, walked + 1))
    raise ValueError(f"no way from {start} to {goal}")


def tour_steps(rooms, start, stops):
    """How many steps the tour from start through all stops, in that order, and back has."""
    total = 0
    here = start
    for stop in (*stops, start):
        total += steps(rooms, here, stop)
        here = stop
    return total


def shortest_tour(rooms, start, treasures):
    """(steps, order of the treasures) of the shortest tour; of equal ones the first as read."""
    return min((tour_steps(rooms, start, order), order) for order in permutations(treasures))


def main():
    rooms = read_rooms(DUNGEON)
    place_of = {what: room for room, what in rooms.items() if what != "."}
    treasures = [place_of[what] for what in sorted(place_of) if what != "S"]
    total, order = shortest_tour(rooms, place_of["S"], treasures)
    print(f"{len(rooms)} rooms, {len(treasures)} treasures")
    print(f"shortest tour: S {' '.join(rooms[room] for room in order)} S, {total} steps")


if __name__ == "__main__":
    main()
