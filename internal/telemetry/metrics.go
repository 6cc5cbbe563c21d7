package telemetry

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics counts what the server does, under the names of doc/protocol.md §12.1. It lives
// as long as the process, over every reload, and may be used concurrently.
type Metrics struct {
	registry *prometheus.Registry
	active   prometheus.Gauge
	duration *prometheus.HistogramVec
	first    *prometheus.HistogramVec
	perToken *prometheus.HistogramVec
	tokens   *prometheus.HistogramVec
	mirrored *prometheus.CounterVec
}

// The labels of doc/protocol.md §12.1 with dots as underscores.
const (
	labelOperation = "gen_ai_operation_name"
	labelProvider  = "gen_ai_provider_name"
	labelRequest   = "gen_ai_request_model"
	labelResponse  = "gen_ai_response_model"
	labelKind      = "gen_ai_token_type"
	labelError     = "error_type"
)

// NewMetrics makes the metrics of a server of this version, with a registry of its own.
func NewMetrics(version string) *Metrics {
	who := []string{labelOperation, labelRequest, labelResponse}
	histogram := func(name, help string, buckets []float64, more ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: buckets, ConstLabels: prometheus.Labels{labelProvider: "ingot"},
		}, append(more, who...))
	}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		active: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "http_server_active_requests", Help: "HTTP requests that are being answered.",
		}),
		duration: histogram("gen_ai_server_request_duration_seconds",
			"Time from a request to the end of its answer.",
			prometheus.ExponentialBuckets(0.01, 2, 14), labelError),
		first: histogram("gen_ai_server_time_to_first_token_seconds",
			"Time from a request to the beginning of its answer, of requests that succeeded.",
			[]float64{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10}),
		perToken: histogram("gen_ai_server_time_per_output_token_seconds",
			"Time from token to token after the first one, of requests that succeeded.",
			[]float64{0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5}),
		// The conventions have no such metric for servers; towards a model, a server is the client.
		tokens: histogram("gen_ai_client_token_usage",
			"Tokens that a model read (input) and wrote (output) for one request.",
			prometheus.ExponentialBuckets(1, 4, 14), labelKind),
		mirrored: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ingot_mirrored_requests_total", Help: "Copies of requests for the deployment of endpoint.mirror, by how they ended.",
		}, []string{labelRequest, "result"}),
	}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "ingot_build_info", Help: "Always 1; the labels tell which build this is.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(m.active, m.duration, m.first, m.perToken, m.tokens, m.mirrored, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler answers /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}

// Mirrored counts a copy of a request that a deployment got, by how it ended; the names are of fixed sets.
func (m *Metrics) Mirrored(deployment, result string) {
	m.mirrored.WithLabelValues(deployment, result).Inc()
}

// CountActive counts the requests that next is answering.
func (m *Metrics) CountActive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.active.Inc()
		defer m.active.Dec()
		next.ServeHTTP(w, r)
	})
}

// Operation resolves where one operation of one deployment is counted; asking again finds
// the same counters. The names become labels, so they must come from the configuration:
// requests for deployments that are not there go by empty ones.
func (m *Metrics) Operation(operation, deployment, model string) *Operation {
	who := prometheus.Labels{labelOperation: operation, labelRequest: deployment, labelResponse: model}
	duration := m.duration.MustCurryWith(who)
	tokens := m.tokens.MustCurryWith(who)
	return &Operation{
		duration: duration,
		success:  duration.WithLabelValues(""),
		first:    m.first.With(who),
		perToken: m.perToken.With(who),
		input:    tokens.WithLabelValues("input"),
		output:   tokens.WithLabelValues("output"),
	}
}

// Operation counts one operation of one deployment.
type Operation struct {
	duration                                prometheus.ObserverVec
	success, first, perToken, input, output prometheus.Observer
}

// Ended counts a request that took so long. The type of error is one of a fixed set, empty
// for success.
func (o *Operation) Ended(took time.Duration, errorType string) {
	if errorType == "" {
		o.success.Observe(took.Seconds())
		return
	}
	o.duration.WithLabelValues(errorType).Observe(took.Seconds())
}

// Paced notes how long the beginning of an answer took, and each token after it; 0 is unknown.
func (o *Operation) Paced(first, perToken time.Duration) {
	if first > 0 {
		o.first.Observe(first.Seconds())
	}
	if perToken > 0 {
		o.perToken.Observe(perToken.Seconds())
	}
}

// Spent notes the tokens that a request took; 0 is none.
func (o *Operation) Spent(input, output int) {
	if input > 0 {
		o.input.Observe(float64(input))
	}
	if output > 0 {
		o.output.Observe(float64(output))
	}
}
