# SPDX-License-Identifier: Apache-2.0
"""What every exporter owes its readers, tried on recordings made here and not by the engine."""
