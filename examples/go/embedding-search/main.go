// Ranks a folder of texts by how near they are to a question: go run ./embedding-search [QUESTION]
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ingot-llm/ingot/client"
)

func main() {
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	question := cmp.Or(strings.Join(os.Args[1:], " "), "How do I repair a flat tyre?")
	files, err := filepath.Glob("../texts/*.txt")
	if err != nil || len(files) == 0 {
		log.Fatal("run it in examples/go: there are no texts in ../texts")
	}
	input := []string{question}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			log.Fatal(err)
		}
		input = append(input, string(text))
	}
	reply, err := c.Embed(context.Background(), &client.EmbedRequest{Model: "minilm", Input: input})
	if err != nil {
		log.Fatal(err)
	}

	asked := reply.Data[0].Floats
	near := map[string]float64{}
	for i, file := range files {
		near[file] = cosine(asked, reply.Data[1+i].Floats)
	}
	slices.SortFunc(files, func(a, b string) int { return cmp.Compare(near[b], near[a]) })
	fmt.Println(question)
	for _, file := range files {
		fmt.Printf("%6.3f  %s\n", near[file], strings.TrimSuffix(filepath.Base(file), ".txt"))
	}
}

func cosine(a, b []float32) float64 {
	var product, lengthA, lengthB float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		product, lengthA, lengthB = product+x*y, lengthA+x*x, lengthB+y*y
	}
	return product / math.Sqrt(lengthA*lengthB)
}
