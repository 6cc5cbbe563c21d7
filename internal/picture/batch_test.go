package picture_test

import (
	"errors"
	"testing"

	"github.com/ingot-llm/ingot/internal/picture"
)

func TestTheImagesOfABatchHaveSoManyPixelsTogether(t *testing.T) {
	t.Parallel()
	url := dataURL("image/png", asPNG(t, quartered()))
	r := picture.New(picture.Options{Limits: picture.Limits{Pixels: 32 * 24, Images: 3}})
	for range 2 { // each batch counts by itself
		b := r.Batch()
		for i := range 5 {
			_, err := b.Read(t.Context(), url)
			e, refused := errors.AsType[*picture.Error](err)
			if refused != (i >= 3) || refused && (e.Type != "bytes_too_long" || e.Msg != "The images of a request have at most 2304 pixels together.") {
				t.Errorf("image %d: %v", i, err)
			}
		}
	}
}
