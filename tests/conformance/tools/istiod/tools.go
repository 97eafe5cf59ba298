//go:build tools

// Package tools names what is built from this module: istiod.
package tools

import _ "istio.io/istio/pilot/cmd/pilot-discovery"
