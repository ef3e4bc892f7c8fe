// Package autoscaling derives what changes the number of instances of a service: a
// ScaledObject of KEDA, or a HorizontalPodAutoscaler with the rules of the metrics
// adapter that it needs.
//
//	<service>/kustomization.yaml    a component, which an overlay takes in
//	<service>/scaledobject.yaml     and how KEDA logs in, or horizontalpodautoscaler.yaml
//	prometheus-adapter.yaml         with HPAs only
//
// # How many
//
// Never more than get a partition: an instance beyond has nothing to do. How many
// that are is for manifest.Scales to say, which the other targets ask too, because
// whoever decides on the number of replicas owns it. A service whose number does not
// move gets nothing.
//
// # When
//
// By the lag of each topic that a group reads, with as much of each partition as one
// instance is given: one partition that is far behind asks for one instance, as no
// second one could help. KEDA does so by limitToPartitionsWithLag, for the HPA the
// adapter's rule does it. And by CPU. Never by memory.
//
// # What a failure does
//
// Brokers or a Prometheus that do not answer take no instance away and start none. A
// step is taken late and is large, so that there are few: each one moves partitions.
package autoscaling
