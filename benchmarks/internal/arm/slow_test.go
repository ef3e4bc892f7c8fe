package arm

import "testing"

// BenchmarkCompute tells how many hashes are a microsecond.
func BenchmarkCompute(b *testing.B) {
	value := make([]byte, 100)
	for b.Loop() {
		compute(1000, value)
	}
}
