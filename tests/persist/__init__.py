# SPDX-License-Identifier: Apache-2.0
"""Results that outlive the process, and are shared by machines."""
