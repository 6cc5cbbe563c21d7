package picture

import (
	"bytes"
	"encoding/binary"
	"iter"
)

// orientation reads how an image is stored from an EXIF block: 1 to 8, and 1 where it does not say.
func orientation(exif []byte) int {
	const upright, tag, short, entry = 1, 0x0112, 3, 12
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(exif, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(exif, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return upright
	}
	if len(exif) < 8 {
		return upright
	}
	at := uint64(order.Uint32(exif[4:]))
	if at+2 > uint64(len(exif)) {
		return upright
	}
	count, entries := int(order.Uint16(exif[at:])), exif[at+2:]
	for ; count > 0 && len(entries) >= entry; count, entries = count-1, entries[entry:] {
		if order.Uint16(entries) != tag {
			continue
		}
		if turn := int(order.Uint16(entries[8:])); order.Uint16(entries[2:]) == short && turn >= 1 && turn <= 8 {
			return turn
		}
		return upright
	}
	return upright
}

// segments lists the markers of a JPEG up to its first scan, and what each holds.
func segments(data []byte) iter.Seq2[byte, []byte] {
	const scan, filler = 0xda, 0xff
	return func(yield func(byte, []byte) bool) {
		for rest := data[min(2, len(data)):]; len(rest) >= 4 && rest[0] == 0xff; {
			marker := rest[1]
			if marker == filler {
				rest = rest[1:]
				continue
			}
			n := int(binary.BigEndian.Uint16(rest[2:]))
			if marker == scan || n < 2 || 2+n > len(rest) || !yield(marker, rest[4:2+n]) {
				return
			}
			rest = rest[2+n:]
		}
	}
}

// exifOfJPEG finds the EXIF block of a JPEG.
func exifOfJPEG(data []byte) []byte {
	const app1 = 0xe1
	for marker, body := range segments(data) {
		if block, ok := bytes.CutPrefix(body, []byte("Exif\x00\x00")); ok && marker == app1 {
			return block
		}
	}
	return nil
}

// scans counts the scans of a JPEG, and reports whether it is progressive: then its decoder holds all of them in memory. It
// passes over what stands between segments, as the decoder does.
func scans(data []byte) (n int, progressive bool) {
	const sof2, restart, start, end, scan = 0xc2, 0xd0, 0xd8, 0xd9, 0xda // eight restarts stand within a scan
	for rest := data; ; {
		at := bytes.IndexByte(rest, 0xff)
		if at < 0 || at+4 > len(rest) {
			return n, progressive
		}
		marker, size := rest[at+1], int(binary.BigEndian.Uint16(rest[at+2:]))
		rest = rest[at+1:]
		switch {
		case marker == 0xff || marker == 0 || marker >= restart && marker <= start:
			continue
		case marker == end || 1+size > len(rest):
			return n, progressive
		case marker == sof2:
			progressive = true
		case marker == scan:
			n++
		}
		rest = rest[1+size:]
	}
}

// exifOfPNG finds the EXIF block of a PNG.
func exifOfPNG(data []byte) []byte {
	for rest := data[min(8, len(data)):]; len(rest) >= 12; {
		n := uint64(binary.BigEndian.Uint32(rest))
		if 12+n > uint64(len(rest)) {
			return nil
		}
		if string(rest[4:8]) == "eXIf" {
			return rest[8 : 8+n]
		}
		rest = rest[12+n:]
	}
	return nil
}
