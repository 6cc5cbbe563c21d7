// How alike two pictures are, for a deployment whose model embeds pictures.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"math"
	"os"

	"github.com/ingot-llm/ingot/client"
	"github.com/ingot-llm/ingot/client/dataurl"
)

func main() {
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	var pictures []client.ImageInput
	for _, file := range []string{"../pictures/circle.png", "../pictures/square.png"} {
		picture, err := dataurl.File(file)
		if err != nil {
			log.Fatal(err)
		}
		pictures = append(pictures, client.ImageInput{Image: picture})
	}
	reply, err := c.EmbedImages(context.Background(), &client.EmbedImagesRequest{Input: pictures})
	if err != nil {
		log.Fatal(err)
	}
	circle, square := reply.Data[0].Floats, reply.Data[1].Floats
	fmt.Printf("%s: vectors of %d numbers, cosine %.3f\n", reply.Model, len(circle), cosine(circle, square))
}

func cosine(a, b []float32) float64 {
	var product, lengthA, lengthB float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		product, lengthA, lengthB = product+x*y, lengthA+x*x, lengthB+y*y
	}
	return product / math.Sqrt(lengthA*lengthB)
}
