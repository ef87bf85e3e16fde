# SPDX-License-Identifier: Apache-2.0
"""fettle.compat beside the modules whose names it bears."""
