package media

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/ingot-llm/ingot/internal/llm"
)

// longestSound is how long a sound may be. The server decodes all of it, to 16,000 numbers a second.
const longestSound = 10 * time.Minute

// sound refuses what is not the data of a sound that the server decodes, and tells it the true format. A data URL is data, too.
func sound(p llm.Audio) (llm.Part, error) {
	refuse := func(typ, msg string) error { return llm.Faulty(llm.Detail{Type: typ, Msg: msg, Loc: p.Loc}) }
	if p.Format == "" {
		label, text, _ := strings.Cut(p.URL.String(), ",")
		if label = strings.ToLower(label); !strings.HasPrefix(label, "data:") || !strings.HasSuffix(label, ";base64") {
			return nil, refuse("url_scheme", "Sounds are not fetched here: send the sound itself as input_audio or as a data URL")
		}
		p.URL, p.Data = llm.Text{}, llm.NewText(text)
	}
	data, err := base64.StdEncoding.DecodeString(p.Data.String())
	if err != nil {
		return nil, refuse("value_error", "The data of the sound is not base64")
	}
	if p.Format, err = soundFormat(data); err != nil {
		return nil, refuse("value_error", err.Error())
	}
	return p, nil
}

// soundFormat says what kind of file a sound is, and refuses one that would not be decoded or be too long when it is.
func soundFormat(data []byte) (format string, err error) {
	const head = 12
	var length time.Duration
	switch {
	case len(data) < head:
		return "", errNoSound
	case bytes.HasPrefix(data, []byte("RIFF")) && string(data[8:head]) == "WAVE":
		format = "wav"
		length, err = wavLength(data[head:])
	case bytes.HasPrefix(data, []byte("ID3")), data[0] == 0xff && data[1]&0xe6 == 0xe2: // a tag, or a frame of layer III
		format = "mp3"
		length, err = mp3Length(data)
	default:
		return "", errNoSound
	}
	if err == nil && length > longestSound {
		err = fault(fmt.Sprintf("The sound is longer than %.0f minutes", longestSound.Minutes()))
	}
	return format, err
}

// fault is what is wrong with a sound, in words for the caller.
type fault string

func (f fault) Error() string { return string(f) }

const (
	errNoSound = fault("The sound is neither a WAV nor an MP3 file")
	errBroken  = fault("The sound's file is broken")
)

// wavLength reads the chunks of a WAV file. What they say of rates and widths is what decoders go by.
func wavLength(chunks []byte) (time.Duration, error) {
	const (
		header, formatSize                = 8, 16
		pcm, float, aLaw, muLaw, extended = 1, 3, 6, 7, 0xfffe
		slowest, fastest                  = 4000, 384_000
		mostChannels, mostBits            = 8, 64
	)
	le := binary.LittleEndian
	var rate, frame int
	for len(chunks) >= header {
		id, size := string(chunks[:4]), uint64(le.Uint32(chunks[4:]))
		body := chunks[header:]
		if id == "data" {
			if frame == 0 {
				return 0, errBroken
			}
			n := min(uint64(len(body)), size) // a recorder that was cut off leaves the largest size there is
			return time.Duration(n) * time.Second / time.Duration(frame*rate), nil
		}
		if size > uint64(len(body)) {
			break
		}
		if id == "fmt " {
			if size < formatSize {
				return 0, errBroken
			}
			kind, channels, bits := le.Uint16(body), int(le.Uint16(body[2:])), int(le.Uint16(body[14:]))
			rate, frame = int(le.Uint32(body[4:])), channels*bits/8
			switch kind {
			case pcm, float, aLaw, muLaw, extended:
			default:
				return 0, fault("The sound's encoding is not known here: send a WAV file with plain samples, or MP3")
			}
			if rate < slowest || rate > fastest || channels < 1 || channels > mostChannels || bits < 8 || bits > mostBits {
				return 0, errBroken
			}
		}
		chunks = body[min(uint64(len(body)), size+size&1):]
	}
	return 0, errBroken
}

// mp3Length adds up the frames of layer III.
func mp3Length(data []byte) (time.Duration, error) {
	const tagHeader = 10
	if bytes.HasPrefix(data, []byte("ID3")) {
		size := tagHeader
		for i, b := range data[6:tagHeader] { // seven bits of each byte
			size += int(b&0x7f) << (7 * (3 - i))
		}
		data = data[min(len(data), size):]
	}
	var length time.Duration
	for i := 0; i+4 <= len(data); {
		size, lasts := mp3Frame(data[i:])
		if size == 0 {
			i++
			continue
		}
		length += lasts
		i += size
	}
	if length == 0 {
		return 0, errBroken
	}
	return length, nil
}

// mp3Frame is the size in bytes of the frame whose header b begins with, and how long it lasts; 0 where there is none.
func mp3Frame(b []byte) (size int, lasts time.Duration) {
	version, rateIndex, bitIndex := b[1]>>3&3, b[2]>>2&3, b[2]>>4
	if b[0] != 0xff || b[1]&0xe6 != 0xe2 || version == 1 || rateIndex == 3 || bitIndex == 0 || bitIndex == 15 {
		return 0, 0
	}
	rate := [...]int{44_100, 48_000, 32_000}[rateIndex]
	kilobits := [...]int{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}[bitIndex]
	samples := 1152
	if version != 3 { // MPEG 2, and 2.5
		kilobits = [...]int{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}[bitIndex]
		rate, samples = rate/2, 576
		if version == 0 {
			rate /= 2
		}
	}
	padding := int(b[2] >> 1 & 1)
	return samples/8*kilobits*1000/rate + padding, time.Duration(samples) * time.Second / time.Duration(rate)
}
