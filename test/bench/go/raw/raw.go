// Package raw passes messages as bytes, so that only the wire is measured.
package raw

import "google.golang.org/grpc/mem"

// Codec hands messages through: values are *[]byte.
type Codec struct{}

func (Codec) Marshal(value any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*value.(*[]byte))}, nil
}

func (Codec) Unmarshal(data mem.BufferSlice, value any) error {
	*value.(*[]byte) = data.Materialize()
	return nil
}

func (Codec) Name() string { return "proto" }
