package compose

// The images, each by the tag of a version: what a tag leads to can be replaced, so
// pin the digest that you have looked at by an override file. Kafka is the version
// that the settings were started with.
const (
	kafkaVersion = "4.3.1"
	kafkaImage   = "slipway-kafka:" + kafkaVersion // built from kafka/Dockerfile
	agentVersion = "1.0.1"                         // of the JMX exporter
	agentSum     = "7d61f737fd661610ccc14aea79764faa1ea94a340cbc8f0029b3d2edea3d80c1"

	mavenImage      = "maven:3.9.11-eclipse-temurin-21"
	registryImage   = "quay.io/apicurio/apicurio-registry-mem:2.6.13.Final"
	gateImage       = "nginxinc/nginx-unprivileged:1.28.0-alpine"
	connectImage    = "quay.io/debezium/connect:3.5.0.Final"
	postgresImage   = "postgres:17.6-bookworm"
	prometheusImage = "prom/prometheus:v3.5.0"
	grafanaImage    = "grafana/grafana:12.1.1"
	collectorImage  = "otel/opentelemetry-collector-contrib:0.149.0"
	tempoImage      = "grafana/tempo:2.8.2"
	lokiImage       = "grafana/loki:3.5.3"
	curlImage       = "curlimages/curl:8.15.0"
)
