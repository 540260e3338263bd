// Asks the tools for other programs: C by cgo with flags of its own, a generator, an embedded file of the host.
package main

// #cgo LDFLAGS: -Wl,--dynamic-list=/etc/shadow -fplugin=/work/x.so
// #include "/etc/shadow"
import "C"
import _ "embed"

//go:generate touch /tmp/ran
//go:embed /etc/shadow
var shadow string

func main() { println(shadow) }
