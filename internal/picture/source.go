package picture

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// bytes returns the file that a URL is or names; done gives back the room that it takes.
func (r *Reader) bytes(ctx context.Context, raw string) (data []byte, done func(), err error) {
	scheme, rest, ok := strings.Cut(raw, ":")
	if !ok {
		return nil, nil, &Error{Type: "url_parsing", Msg: "An image is given as a URL: data:image/png;base64,… or https://…"}
	}
	switch strings.ToLower(scheme) {
	case "data":
		data, err = r.inline(rest)
		return data, func() {}, err
	case "http", "https":
		if r.http == nil {
			return nil, nil, &Error{Type: "url_scheme", Msg: "Images are not fetched here: send the image itself as a data URL, data:image/png;base64,…"}
		}
		if err := r.fetches.take(ctx, r.caller, r.limits.Time); errors.Is(err, errBusy) {
			return nil, nil, &Error{Type: "value_error", Msg: fmt.Sprintf("Too many images are being fetched: after %s this one still waited. Try again in a moment.", r.limits.Time), Busy: true}
		} else if err != nil {
			return nil, nil, err
		}
		done = func() { r.fetches.give(r.caller) }
		if data, err = r.fetch(ctx, raw); err != nil {
			done()
			return nil, nil, err
		}
		return data, done, nil
	}
	return nil, nil, &Error{Type: "url_scheme", Msg: "The URL of an image begins with data: or https:"}
}

// inline decodes what follows "data:". The label counts for nothing, as the content tells the type.
func (r *Reader) inline(rest string) ([]byte, error) {
	label, text, ok := strings.Cut(rest, ",")
	if !ok || len(label) < len("base64") || !strings.EqualFold(label[len(label)-len("base64"):], "base64") {
		return nil, &Error{Type: "url_parsing", Msg: "The data URL of an image is data:image/{type};base64,{data}."}
	}
	text = strings.TrimRight(text, "=\r\n")
	if int64(len(text))/4*3 > r.limits.Bytes {
		return nil, r.tooLong()
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		encoding = base64.RawURLEncoding
	}
	data, err := encoding.DecodeString(text)
	if err != nil {
		return nil, &Error{Type: "value_error", Msg: "The data of the image's data URL is not base64.", Err: err}
	}
	return data, nil
}

// fetch asks for an image.
func (r *Reader) fetch(ctx context.Context, raw string) ([]byte, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" {
		return nil, &Error{Type: "url_parsing", Msg: "The URL of the image cannot be read.", Err: bare(err)}
	}
	limited, cancel := context.WithTimeout(ctx, r.limits.Time)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return nil, &Error{Type: "url_parsing", Msg: "The URL of the image cannot be read.", Err: bare(err)}
	}
	req.Header.Set("Accept", "image/png, image/jpeg, image/webp, image/gif, image/bmp")
	req.Header.Set("User-Agent", "Ingot")
	data, err := r.get(req)
	switch {
	case err == nil:
		return data, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		return nil, &Error{Type: "value_error", Msg: fmt.Sprintf("The image did not arrive within %s.", r.limits.Time), Err: err}
	}
	return nil, err
}

// get performs a request; only an *Error of it is fit to be shown.
func (r *Reader) get(req *http.Request) ([]byte, error) {
	res, err := r.http.Do(req)
	if err != nil {
		why := "The image could not be fetched from its URL."
		if refused, ok := errors.AsType[interface {
			error
			Refusal() string
		}](err); ok {
			why = "The image is not fetched: " + refused.Refusal() + "."
		}
		return nil, &Error{Type: "value_error", Msg: why, Err: bare(err)}
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, faulty("The server of the image answered with status %d.", res.StatusCode)
	}
	if res.ContentLength > r.limits.Bytes {
		return nil, r.tooLong()
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, r.limits.Bytes+1))
	if err != nil {
		return nil, &Error{Type: "value_error", Msg: "The image broke off on its way here.", Err: err}
	}
	return data, nil
}

// bare is an error without the URL, which may hold a signature.
func bare(err error) error {
	if named, ok := errors.AsType[*url.Error](err); ok {
		return named.Err
	}
	return err
}

func (r *Reader) tooLong() *Error {
	return &Error{Type: "bytes_too_long", Msg: fmt.Sprintf("An image has at most %d bytes.", r.limits.Bytes)}
}
