// Which model answers here.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"

	"github.com/ingot-llm/ingot/client"
)

func main() {
	c, err := client.New(cmp.Or(os.Getenv("INGOT_ENDPOINT"), "http://127.0.0.1:8080"), client.Key(os.Getenv("INGOT_KEY")), nil)
	if err != nil {
		log.Fatalf("set INGOT_ENDPOINT and INGOT_KEY: %v", err)
	}
	info, err := c.Info(context.Background(), "")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s of %s: %s\n", info.ModelName, info.ModelProviderName, info.ModelType)
}
