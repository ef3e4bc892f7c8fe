package protect

// Armed reports whether a watchdog has a timer that runs.
func Armed[T any](w *Watchdog[T]) bool { return w.armed.Load() }
