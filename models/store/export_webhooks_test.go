package store

import "countinghouse/models"

// DeliveriesQuery shows tests the query of the list of deliveries.
func DeliveriesQuery(f models.DeliveryFilter) (string, []any) { return deliveriesQuery(f) }
