// Four gigabytes of initialised data.
package main

var huge = [4 << 30]byte{0: 1, 4<<30 - 1: 1}

func main() { println(huge[1<<31]) }
