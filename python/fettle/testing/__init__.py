# SPDX-License-Identifier: Apache-2.0
"""What the pytest plugin does when it is asked to: recording a session, limits of tests, a baseline
of counts, and the fixtures. Nothing in here is imported by a run that asks for none of it."""
