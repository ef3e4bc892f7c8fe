package spill

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
)

// A segment begins with its head: who it is, and how far the segment before it
// counts, all under a checksum. Frames follow: length, checksum, body. A frame's
// checksum covers the segment's salt and the frame's place too, so that neither
// a frame of another file nor one inside somebody's value is taken for it.
const (
	magic     = "slpspil1"
	headSize  = len(magic) + 4*8 + 4
	frameHead = 8
	maxBody   = math.MaxInt32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// A head is the beginning of a segment.
type head struct {
	number uint64
	salt   uint64
	before uint64 // the segment that was written before
	cut    int64  // how many bytes of that one count; -1 if not known
}

func (h head) encode() []byte {
	b := append(make([]byte, 0, headSize), magic...)
	b = binary.LittleEndian.AppendUint64(b, h.number)
	b = binary.LittleEndian.AppendUint64(b, h.salt)
	b = binary.LittleEndian.AppendUint64(b, h.before)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.cut))
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

var (
	errHead    = errors.New("file does not begin as a segment")
	errVersion = errors.New("segment was written by a newer version")
)

func parseHead(b []byte) (head, error) {
	n := len(magic)
	if len(b) < headSize || string(b[:n-1]) != magic[:n-1] {
		return head{}, errHead
	}
	if crc32.Checksum(b[:headSize-4], castagnoli) != binary.LittleEndian.Uint32(b[headSize-4:]) {
		return head{}, errHead
	}
	if b[n-1] != magic[n-1] {
		return head{}, errVersion
	}
	return head{
		number: binary.LittleEndian.Uint64(b[n:]),
		salt:   binary.LittleEndian.Uint64(b[n+8:]),
		before: binary.LittleEndian.Uint64(b[n+16:]),
		cut:    int64(binary.LittleEndian.Uint64(b[n+24:])),
	}, nil
}

// appendFrame writes the frame of a body that is to stand at an offset.
func appendFrame(b, body []byte, salt uint64, offset int64) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = binary.LittleEndian.AppendUint32(b, checksum(body, salt, offset))
	return append(b, body...)
}

func checksum(body []byte, salt uint64, offset int64) uint32 {
	var seed [20]byte
	binary.LittleEndian.PutUint64(seed[:], salt)
	binary.LittleEndian.PutUint64(seed[8:], uint64(offset))
	binary.LittleEndian.PutUint32(seed[16:], uint32(len(body)))
	return crc32.Update(crc32.Checksum(seed[:], castagnoli), castagnoli, body)
}

// errTorn is a frame that ends before its length says, and errDamaged one that
// is not what was written.
var (
	errTorn    = errors.New("frame is cut short")
	errDamaged = errors.New("frame is damaged")
)

// frames reads the frames of a segment one after the other.
type frames struct {
	r      *bufio.Reader
	salt   uint64
	offset int64 // of the next frame
	end    int64 // where the frames end
}

const readAhead = 64 << 10

func readFrames(r io.ReaderAt, salt uint64, offset, end int64) *frames {
	size := min(max(end-offset, 16), readAhead)
	return &frames{bufio.NewReaderSize(io.NewSectionReader(r, offset, end-offset), int(size)), salt, offset, end}
}

// next returns the body of the next frame, in buf if it fits, and [io.EOF] after
// the last one. It takes no more memory than the file has bytes left.
func (f *frames) next(buf []byte) ([]byte, error) {
	left := f.end - f.offset
	switch {
	case left == 0:
		return nil, io.EOF
	case left < frameHead:
		return nil, errTorn
	}
	var start [frameHead]byte
	if _, err := io.ReadFull(f.r, start[:]); err != nil {
		return nil, short(err)
	}
	size, sum := int64(binary.LittleEndian.Uint32(start[:])), binary.LittleEndian.Uint32(start[4:])
	switch {
	case size < bodyHead || size > maxBody:
		return nil, errDamaged
	case size > left-frameHead:
		return nil, errTorn
	}
	if int64(cap(buf)) < size {
		buf = make([]byte, size)
	}
	buf = buf[:size]
	if _, err := io.ReadFull(f.r, buf); err != nil {
		return nil, short(err)
	}
	if checksum(buf, f.salt, f.offset) != sum {
		return nil, errDamaged
	}
	f.offset += frameHead + size
	return buf, nil
}

// short is a file that has become shorter than it was.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}
