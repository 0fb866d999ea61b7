// The small script of Countinghouse. Every page works without it.
'use strict'
