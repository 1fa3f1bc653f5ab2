// SPDX-License-Identifier: Apache-2.0

//go:build packages

// What is built from other modules (lib/golang.py): the conformance suite of the OCI runtime specification, and the program that it runs in containers.
package packages

import (
	_ "github.com/opencontainers/runtime-tools/cmd/runtimetest"
	_ "github.com/opencontainers/runtime-tools/validation/create"
)
