package slipway

import (
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Why a value was not written, or is not known to have been. Ask with
// errors.Is. Any error of a send that is not ErrUnacknowledged means that the
// cluster does not have the value.
var (
	// ErrUnacknowledged reports that the value may or may not have been
	// written: no acknowledgement came before the context ended, the contract's
	// timeout was over or the service stopped. Sending it again with the same
	// id (WithID) lets readers tell.
	ErrUnacknowledged = errors.New("not acknowledged, it may or may not have been written")

	// ErrDeliveryTimeout reports that the contract's timeout was over before
	// the value could be written. Records that waited behind it for the same
	// partition end with it, so that none passes it.
	ErrDeliveryTimeout = errors.New("delivery timed out")

	// ErrAway reports that the cluster has acknowledged nothing for a while,
	// and that the contract does not want to wait. The value was not written;
	// try again later.
	ErrAway = errors.New("cluster is away")

	// ErrBufferFull reports that the topic's buffer had no room. It is an
	// ErrAway, too.
	ErrBufferFull = fmt.Errorf("buffer is full: %w", ErrAway)

	// ErrDropped reports that a value was given up, because the cluster is away
	// and the contract says away: sample. It comes with ErrAway.
	ErrDropped = errors.New("dropped")

	// ErrKeyed reports a [WithKey] for a topic whose key is a field of its
	// values.
	ErrKeyed = errors.New("WithKey is for topics without a schema: the key of this topic is a field of its values")

	// ErrNoValue reports that a value was nil, or an empty []byte. Kafka takes
	// a record without a value for a tombstone, which deletes its key: say so
	// with Delete.
	ErrNoValue = errors.New("value is nil or empty; Delete writes a tombstone")

	// ErrUnfit reports a value that its topic's schema, or the format of its
	// key, does not allow: whoever made the value is at fault, and another try
	// will not help.
	ErrUnfit = errors.New("value does not fit its schema")

	// ErrOutbox reports that a topic with via: outbox was sent to directly. Use
	// outbox.Send with the transaction that the value belongs to.
	ErrOutbox = errors.New("topic is via: outbox: use outbox.Send")
)

// doubtful are answers after which the broker may have the record all the same.
var doubtful = map[*kerr.Error]bool{
	kerr.RequestTimedOut: true, kerr.NotEnoughReplicasAfterAppend: true, kerr.UnknownServerError: true,
	kerr.OutOfOrderSequenceNumber: true, kerr.UnknownProducerID: true, kerr.InvalidProducerEpoch: true,
	kerr.InvalidProducerIDMapping: true, kerr.ProducerFenced: true, kerr.NetworkException: true, kerr.KafkaStorageError: true,
}

// uncertain adds to the client's last word on a record that the record may have
// been written, unless a broker has refused it.
func uncertain(err error) error {
	if answer, ok := errors.AsType[*kerr.Error](err); ok && !doubtful[answer] {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnacknowledged, err)
}
