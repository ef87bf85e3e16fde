# SPDX-License-Identifier: Apache-2.0
"""networkx, where it is installed.

package networkx
"""

import networkx as nx

graph = nx.grid_2d_graph(12, 12)
print(nx.shortest_path_length(graph, (0, 0), (11, 11)), nx.number_connected_components(graph))
print(len(nx.minimum_spanning_tree(graph).edges), len(list(nx.bfs_edges(graph, (0, 0)))))
