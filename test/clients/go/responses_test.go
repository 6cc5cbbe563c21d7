package sdk_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

// responds is what the mock model is asked.
func responds(text string) responses.ResponseNewParams {
	return responses.ResponseNewParams{Model: "mock", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String(text)}}
}

// calls has the mock model call a tool.
func calls(text string) responses.ResponseNewParams {
	asks := responds(text)
	asks.Tools = []responses.ToolUnionParam{responses.ToolParamOfFunction("get_weather", weather, true)}
	asks.ToolChoice.OfToolChoiceMode = openai.Opt(responses.ToolChoiceOptionsRequired)
	return asks
}

func TestAResponseHasItsTextAndItsUsage(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		asks := responds(hello)
		asks.Instructions, asks.Metadata = openai.String("Be brief."), map[string]string{"a": "b"}
		got, err := c.Responses.New(t.Context(), asks)
		must(t, got, err)

		equal(t, "status", string(got.Status), "completed")
		equal(t, "text", got.OutputText(), hello)
		equal(t, "instructions", got.Instructions.OfString, "Be brief.")
		equal(t, "metadata", got.Metadata["a"], "b")
		equal(t, "tokens", got.Usage.OutputTokens, 4)
		equal(t, "error", got.JSON.Error.Raw(), "null")

		asks.MaxOutputTokens = openai.Int(2)
		got, err = c.Responses.New(t.Context(), asks)
		must(t, got, err)
		equal(t, "status of half an answer", string(got.Status), "incomplete")
		equal(t, "reason", got.IncompleteDetails.Reason, "max_output_tokens")
		results.Note(openAI(), address, "responses")
	})
}

func TestTheEventsOfAResponseAreInOrder(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		text, types, id := "", []string{}, ""
		for i, event := range all(t, c.Responses.NewStreaming(t.Context(), responds(hello))) {
			equal(t, "number", event.SequenceNumber, int64(i))
			if n := len(types); n == 0 || types[n-1] != event.Type {
				types = append(types, event.Type)
			}
			switch event := event.AsAny().(type) {
			case responses.ResponseCreatedEvent:
				id = event.Response.ID
			case responses.ResponseTextDeltaEvent:
				text += event.Delta
			case responses.ResponseCompletedEvent:
				equal(t, "id", event.Response.ID, id)
				equal(t, "text of the whole", event.Response.OutputText(), hello)
			}
		}
		equal(t, "text", text, hello)
		want := []string{
			"response.created", "response.in_progress", "response.output_item.added", "response.content_part.added", "response.output_text.delta",
			"response.output_text.done", "response.content_part.done", "response.output_item.done", "response.completed",
		}
		equal(t, "events", cmp.Diff(want, types), "")

		arguments := ""
		for _, event := range all(t, c.Responses.NewStreaming(t.Context(), calls("Weather?"))) {
			switch event := event.AsAny().(type) {
			case responses.ResponseFunctionCallArgumentsDeltaEvent:
				arguments += event.Delta
			case responses.ResponseFunctionCallArgumentsDoneEvent:
				equal(t, "all arguments", event.Arguments, arguments)
			}
		}
		equal(t, "arguments", arguments, instance)
	})
}

func TestToolsOfAResponseAreCalledUntilThereIsAnAnswer(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		first, err := c.Responses.New(t.Context(), calls("Weather?"))
		call := must(t, first, err).Output[0].AsFunctionCall()
		equal(t, "tool", call.Name, "get_weather")
		equal(t, "arguments", call.Arguments, instance)

		again := calls("")
		again.ToolChoice = responses.ResponseNewParamsToolChoiceUnion{}
		again.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
			responses.ResponseInputItemParamOfMessage("Weather?", "user"),
			responses.ResponseInputItemParamOfFunctionCall(call.Arguments, call.CallID, call.Name),
			func() responses.ResponseInputItemUnionParam {
				item := responses.ResponseInputItemParamOfFunctionCallOutput("clear")
				item.OfFunctionCallOutput.CallID = openai.String(call.CallID)
				return item
			}(),
		}}
		second, err := c.Responses.New(t.Context(), again)
		equal(t, "answer", must(t, second, err).OutputText(), "Weather?")
	})
}

func TestAResponseKeepsASchema(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		asks := responds(hello)
		asks.Text.Format = responses.ResponseFormatTextConfigParamOfJSONSchema("weather", weather)
		got, err := c.Responses.New(t.Context(), asks)
		equal(t, "answer", must(t, got, err).OutputText(), instance)
	})
}

func TestAResponseSeesAPicture(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		asks := responds("")
		asks.Input = responses.ResponseNewParamsInputUnion{OfInputItemList: responses.ResponseInputParam{
			responses.ResponseInputItemParamOfMessage(responses.ResponseInputMessageContentListParam{
				responses.ResponseInputContentParamOfInputText("What is this?"),
				{OfInputImage: &responses.ResponseInputImageParam{Detail: "low", ImageURL: openai.String(red)}},
			}, "user"),
		}}
		got, err := c.Responses.New(t.Context(), asks)
		equal(t, "answer", must(t, got, err).OutputText(), "What is this?")
	})
}

func TestWhatAResponseCannotDoIsRefusedByName(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(mocks, address)
		search := responds(hello)
		search.Tools = []responses.ToolUnionParam{responses.ToolParamOfWebSearch("web_search")}
		goesOn := responds(hello)
		goesOn.PreviousResponseID = openai.String("resp_1")
		for param, asks := range map[string]responses.ResponseNewParams{"tools": search, "previous_response_id": goesOn} {
			got, err := c.Responses.New(t.Context(), asks)
			refused := refusal(t, got, err)
			equal(t, "status", refused.StatusCode, http.StatusBadRequest)
			if !strings.HasPrefix(refused.Param, param) {
				t.Errorf("param is %q, not of %q", refused.Param, param)
			}
		}
	})
}

func TestWhatIsKeptIsGoneOnWithByItsOwnerAlone(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(faults, address)
		first, err := c.Responses.New(t.Context(), responds("One"))
		must(t, first, err)
		goesOn := responds("Two")
		goesOn.PreviousResponseID = openai.String(first.ID)
		second, err := c.Responses.New(t.Context(), goesOn)
		equal(t, "answer", must(t, second, err).OutputText(), "Two")
		equal(t, "goes on from", second.PreviousResponseID, first.ID)

		kept, err := c.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{})
		equal(t, "kept", must(t, kept, err).OutputText(), "One")
		stranger := client(faults, address, withKey(address, otherKey))
		kept, err = stranger.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{})
		equal(t, "status for another key", refusal(t, kept, err).StatusCode, http.StatusNotFound)

		if err := c.Responses.Delete(t.Context(), first.ID); err != nil {
			t.Fatal(err)
		}
		kept, err = c.Responses.Get(t.Context(), first.ID, responses.ResponseGetParams{})
		equal(t, "status of what was deleted", refusal(t, kept, err).StatusCode, http.StatusNotFound)
	})
}

// The pager asks for the next page by the id of the last item.
func TestInputItemsComeInPages(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(faults, address)
		asks := responses.ResponseNewParams{Model: "mock"}
		want := []string{"one", "two", "three", "four", "five"}
		for _, text := range want {
			asks.Input.OfInputItemList = append(asks.Input.OfInputItemList, responses.ResponseInputItemParamOfMessage(text, "user"))
		}
		made, err := c.Responses.New(t.Context(), asks)
		must(t, made, err)

		note, sent := counted()
		pager := c.Responses.InputItems.ListAutoPaging(t.Context(), made.ID,
			responses.InputItemListParams{Limit: openai.Int(2), Order: "asc"}, note)
		var texts []string
		for pager.Next() {
			texts = append(texts, pager.Current().AsMessage().Content[0].Text)
		}
		if err := pager.Err(); err != nil {
			t.Fatal(err)
		}
		equal(t, "items", cmp.Diff(want, texts), "")
		equal(t, "pages", len(sent()), 3)
	})
}

func TestAResponseInTheBackgroundEndsOrIsCancelled(t *testing.T) {
	atEach(t, func(t *testing.T, address string) {
		c := client(faults, address)
		asks := responds(hello)
		asks.Background = openai.Bool(true)
		first := c.Responses.NewStreaming(t.Context(), asks)
		equal(t, "there is an event", first.Next(), true)
		id := first.Current().Response.ID
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		rest := all(t, c.Responses.GetStreaming(t.Context(), id, responses.ResponseGetParams{StartingAfter: openai.Int(0)}))
		equal(t, "next event", rest[0].SequenceNumber, 1)
		equal(t, "last event", rest[len(rest)-1].Type, "response.completed")

		asks.Model = "stalls"
		stalled, err := c.Responses.New(t.Context(), asks)
		must(t, stalled, err)
		cancelled, err := c.Responses.Cancel(t.Context(), stalled.ID)
		equal(t, "status", string(must(t, cancelled, err).Status), "cancelled")
	})
}
