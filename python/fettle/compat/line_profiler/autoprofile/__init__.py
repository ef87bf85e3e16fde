# SPDX-License-Identifier: Apache-2.0
"""`kernprof -p`: functions, classes, modules and scripts are marked without touching a source.

What is to be marked and can be imported is imported beforehand (eager_preimports). The script
itself is parsed (ast_tree_profiler): its own functions get a decorator, its imports a call that
marks what they brought.
"""
