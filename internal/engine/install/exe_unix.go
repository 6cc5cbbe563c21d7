//go:build !windows

package install

const executable = "llama-server"
