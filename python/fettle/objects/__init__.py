# SPDX-License-Identifier: Apache-2.0
"""What objects take: fettle.sizeof, fettle.layout, fettle.census and fettle.slots."""
