// SPDX-License-Identifier: Apache-2.0
// A server as Go programs are: built without C, alone in its image. With an argument it is its own client (lib/golang.py).
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
)

// Work on many threads at a time, so that an answer says that the run-time may have them.
func busy() int {
	var all sync.WaitGroup
	var lock sync.Mutex
	sum := 0
	for i := 0; i < 64; i++ {
		all.Add(1)
		go func() {
			defer all.Done()
			runtime.LockOSThread()
			text := strings.Repeat("x", 1<<16)
			lock.Lock()
			sum += len(text)
			lock.Unlock()
		}()
	}
	all.Wait()
	runtime.GC()
	return sum
}

func answer(w http.ResponseWriter, r *http.Request) {
	if busy() == 64<<16 {
		io.WriteString(w, "goserver serves\n")
	}
}

func main() {
	if len(os.Args) > 1 {
		got, err := http.Get(os.Args[1])
		if err != nil {
			log.Fatal(err)
		}
		io.Copy(os.Stdout, got.Body)
		return
	}
	log.Fatal(http.ListenAndServe(":8080", http.HandlerFunc(answer)))
}
