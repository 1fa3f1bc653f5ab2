// SPDX-License-Identifier: Apache-2.0

//go:build packages

// What is built from other modules (lib/golang.py): the command line of Kubernetes' container runtime interface.
package packages

import _ "sigs.k8s.io/cri-tools/cmd/crictl"
