# SPDX-License-Identifier: Apache-2.0
"""What the e2e and attack suites share: the binary under test, registries, images, canaries. Standard library only."""
