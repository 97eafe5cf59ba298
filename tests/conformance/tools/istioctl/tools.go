//go:build tools

// Package tools names what is built from this module: istioctl.
package tools

import _ "istio.io/istio/istioctl/cmd/istioctl"
