// Package compose derives a whole environment for Docker Compose: brokers,
// registry, Connect, databases, telemetry, and the services.
package compose
