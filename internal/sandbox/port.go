package sandbox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Reserve returns an address of this machine that nobody listens on, for a program
// that is to listen there, again and again. No connection is given such a port, and
// whoever reserves one in this way, in another process too, gets another one until
// it is released.
func Reserve() (addr string, release func(), err error) {
	for range 1000 {
		addr := fmt.Sprint("127.0.0.1:", 10_000+rand.IntN(20_000)) // below those that systems give out
		reserved, err := net.ListenPacket("udp", addr)
		if err != nil {
			continue
		}
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr, func() { reserved.Close() }, nil
		}
		reserved.Close()
	}
	return "", nil, errors.New("no free port on this machine")
}
