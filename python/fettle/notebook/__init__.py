# SPDX-License-Identifier: Apache-2.0
"""fettle in IPython and Jupyter: %load_ext fettle.

IPython is imported by who runs in it, never by fettle: a magic is a function that is given a shell.
"""
