# SPDX-License-Identifier: Apache-2.0
"""The HTML report: what of one or two recordings it shows (payload), and the file (document).

    recording -> payload: a dict of columns -> document: one file that needs nothing else

Each part of the payload has a file of its own that turns rows of the model into columns; the two
sides of a comparison meet in the identities of files, functions and places (naming, places).
"""
