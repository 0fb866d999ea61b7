package onekey

import "countinghouse/providers"

func reads() []providers.Read { return nil }
