package install

const executable = "llama-server.exe"
