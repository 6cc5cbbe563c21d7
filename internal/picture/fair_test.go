package picture_test

import (
	"image"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-llm/ingot/internal/picture"
)

func TestASmallImageNeedNotWaitForManyLargeOnes(t *testing.T) {
	t.Parallel()
	const many = 24
	large, small := dataURL("image/png", asPNG(t, image.NewNRGBA(image.Rect(0, 0, 1500, 1500)))), dataURL("image/png", asPNG(t, quartered()))
	r := picture.New(picture.Options{Limits: picture.Limits{Memory: 64 << 20}}) // room for one of them at a time
	var all sync.WaitGroup
	var begun, left atomic.Int64
	left.Store(many)
	for range many {
		all.Go(func() {
			begun.Add(1)
			if _, err := r.Read(t.Context(), large); err != nil {
				t.Error(err)
			}
			left.Add(-1)
		})
	}
	for begun.Load() < many || left.Load() == many {
		time.Sleep(time.Millisecond)
	}
	if _, err := r.Read(t.Context(), small); err != nil {
		t.Error(err)
	}
	if n := left.Load(); n < many/4 {
		t.Errorf("it was read when %d of %d were left", n, many)
	}
	all.Wait()
}
