// An echo server on grpc-go with the windows that the others have.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"google.golang.org/grpc"

	"shoal/bench/raw"
)

var sinkAnswer = make([]byte, 4096)

func unary(answer func(request *[]byte) *[]byte) grpc.MethodHandler {
	return func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var request []byte
		if err := decode(&request); err != nil {
			return nil, err
		}
		return answer(&request), nil
	}
}

func bidi(_ any, stream grpc.ServerStream) error {
	for {
		var message []byte
		if err := stream.RecvMsg(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(raw.Codec{}), grpc.InitialWindowSize(8<<20),
		grpc.InitialConnWindowSize(64<<20), grpc.MaxRecvMsgSize(64<<20))
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Echo",
		HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Unary", Handler: unary(func(request *[]byte) *[]byte { return request })},
			{MethodName: "Sink", Handler: unary(func(*[]byte) *[]byte { return &sinkAnswer })},
		},
		Streams: []grpc.StreamDesc{{StreamName: "Bidi", ServerStreams: true, ClientStreams: true, Handler: bidi}},
	}, struct{}{})
	fmt.Println("serving at", listener.Addr())
	if err := server.Serve(listener); err != nil {
		panic(err)
	}
}
