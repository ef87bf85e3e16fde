# SPDX-License-Identifier: Apache-2.0
"""fettle.compat.cProfile under the name that cProfile has had since Python 3.15."""

from fettle.compat.cProfile import Profile, label, main, run, runctx

__all__ = ("Profile", "label", "main", "run", "runctx")

if __name__ == "__main__":
    main()
