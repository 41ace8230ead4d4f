package transport

// A FIFO is a pipe under a name. The producer makes it, or takes one that
// stands there, and holds PATH.lock for life; a consumer locks the FIFO itself,
// since two would share the bytes out among them. There is one stream to one
// consumer: what has begun to be read cannot be begun again.
var fifoScheme = scheme{
	name: "fifo", form: "fifo:///PATH", check: checkPath,
	create: createFIFO, open: openFIFO, inspect: inspectFIFO,
}
