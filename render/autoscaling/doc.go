// Package autoscaling derives what changes the number of instances of a service: a
// ScaledObject of KEDA, or a HorizontalPodAutoscaler with the adapter it needs. Never
// more than the partitions can use.
package autoscaling
