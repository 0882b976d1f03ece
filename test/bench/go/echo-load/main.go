// A closed-loop load on an echo server with grpc-go's client. Writes one JSON object.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"shoal/bench/raw"
)

var (
	addr    = flag.String("addr", "", "the server")
	pid     = flag.Int("pid", 0, "its process")
	method  = flag.String("method", "Unary", "Unary, Sink or Bidi")
	size    = flag.Int("bytes", 32, "of a request")
	n       = flag.Int("n", 1, "calls in flight")
	conns   = flag.Int("conns", 1, "connections")
	seconds = flag.Float64("seconds", 2, "measured")
	warmup  = flag.Float64("warmup", 0.5, "seconds before that")
	timeout = flag.Float64("timeout", 0, "each call's deadline in seconds")
)

// cpuUs is the CPU time of a process in microseconds, from /proc.
func cpuUs(pid int) float64 {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+2:]))
	var user, system float64
	fmt.Sscan(fields[11], &user)
	fmt.Sscan(fields[12], &system)
	return (user + system) * 10_000
}

// worker keeps one call in flight until stop; it returns the latencies of those that ended while counting.
func worker(conn *grpc.ClientConn, request []byte, counting, stop *atomic.Bool, failed *atomic.Int64) []time.Duration {
	path := "/bench.Echo/" + *method
	var latencies []time.Duration
	var stream grpc.ClientStream
	if *method == "Bidi" {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var err error
		stream, err = conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, path)
		if err != nil {
			panic(err)
		}
	}
	for !stop.Load() {
		began := time.Now()
		var response []byte
		var err error
		if stream != nil {
			if err = stream.SendMsg(&request); err == nil {
				err = stream.RecvMsg(&response)
			}
		} else {
			ctx, cancel := context.Background(), func() {}
			if *timeout > 0 {
				ctx, cancel = context.WithTimeout(ctx, time.Duration(*timeout*1e9))
			}
			err = conn.Invoke(ctx, path, &request, &response)
			cancel()
		}
		if err != nil {
			failed.Add(1)
		} else if counting.Load() {
			latencies = append(latencies, time.Since(began))
		}
	}
	return latencies
}

func main() {
	flag.Parse()
	connections := make([]*grpc.ClientConn, *conns)
	for i := range connections {
		conn, err := grpc.NewClient(*addr, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw.Codec{}), grpc.MaxCallRecvMsgSize(64<<20)),
			grpc.WithInitialWindowSize(1<<20), grpc.WithInitialConnWindowSize(16<<20))
		if err != nil {
			panic(err)
		}
		connections[i] = conn
	}
	var counting, stop atomic.Bool
	var failed atomic.Int64
	var group sync.WaitGroup
	found := make([][]time.Duration, *n)
	request := make([]byte, *size)
	for i := range *n {
		group.Go(func() { found[i] = worker(connections[i%*conns], request, &counting, &stop, &failed) })
	}
	time.Sleep(time.Duration(*warmup * 1e9))
	server, own, began := cpuUs(*pid), cpuUs(os.Getpid()), time.Now()
	counting.Store(true)
	time.Sleep(time.Duration(*seconds * 1e9))
	counting.Store(false)
	elapsed := time.Since(began).Seconds()
	server, own = cpuUs(*pid)-server, cpuUs(os.Getpid())-own
	stop.Store(true)
	group.Wait()
	all := slices.Concat(found...)
	slices.Sort(all)
	count := float64(len(all))
	ms := func(q float64) float64 { return float64(all[int(q*(count-1))]) / 1e6 }
	if count == 0 {
		panic("no call was answered")
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{
		"rate": count / elapsed, "p50": ms(0.5), "p99": ms(0.99),
		"serverUs": server / count, "clientUs": own / count, "failed": failed.Load(),
	})
}
