package cli

const urlTable = `URLs:
  shm://NAME        ring in /dev/shm (NAME.ring, NAME.slots), removed at a clean end;
                    NAME: 1-200 of A-Za-z0-9._-, not starting with a dot
  file:///PATH      ring in a mapped file (PATH.ring, PATH.slots); stays
  memfd:///PATH.sock
                    ring in sealed memory that the producer hands out at a socket (Linux);
                    consumers cannot touch what others read; nothing stays but the socket's
                    name after a kill
  pipe:             producer's standard output to consumer's standard input; one consumer,
                    reliable only
  fifo:///PATH      named pipe, likewise; removed at a clean end by a producer that made it
  unix:///PATH      stream socket at which the producer serves any number of consumers
  unixpacket:///PATH  the same, in packets (Linux, BSD)
  tcp://HOST:PORT   the same from machine to machine; no encryption, no authentication
  udp://HOST:PORT   datagrams, a record in each, to the address that the consumer binds;
                    what is lost is counted
  log:///DIR        segment files that only grow; stays. Consumers read it from the oldest
                    record on unless told otherwise, and never hold the producer up
  mq://NAME         message queue of the kernel (Linux), removed at a clean end if it is
                    empty; consumers share the records; the type, to 32767, is the priority
  auto://NAME       the best of shm, file and fifo that works here; says which and why
`

const producerUsage = `producer [flags] URL
producer -demo

Puts records on a ring in shared memory, where any number of consumer processes
see each one come past. Records come from standard input, or from a generator.

` + urlTable + `
Records from standard input:
  -split HOW        how the input is cut into records (lines):
                      lines    at each newline, which is not part of the record
                      nul      at each zero byte
                      len32    before each record its length, u32 little-endian
                      all      the whole input is one record, in as many parts as it takes
                      frames   the input is a stream of frames ("consumer -split frames")
  -type T           type of the records, 0 to 65535 (0); consumers can choose by it

Records from the generator, instead of standard input:
  -gen N            publish N records that describe themselves (sequence, time, CRC,
                    pattern): "consumer -verify -latency" checks and times them
  -size SIZE        of each, at least 24 bytes (64)

Publishing:
  -rate R           records per second, with short bursts to catch up (as fast as it goes)
  -consumers N      wait until N consumers are attached at once; only a signal ends that (0)
  -batch N          commit N records at a time. Without it: one by one from the generator;
                    from standard input as they come, never held back while input pauses
  -wait HOW         for room on the ring: spin, yield, block or adaptive (adaptive)
  -drain D          at the end wait up to D until reliable and deadline consumers have
                    everything; 0: do not wait (10s). Running out of it is exit 1

The ring (what exists already is taken as it is, unless it differs from what is given):
  -capacity SIZE    bytes, a power of two from 4KiB (4MiB); a record takes up to a quarter;
                    0: a rendezvous, each commit waits until all consumers that gate have it
  -slots N          consumers that may be attached at once (64)
  -crc              a checksum on every record, which consumers verify
  -users ID,ID      memfd: users whose consumers are admitted besides your own
  -patience D       memfd: how long one of them may hold the producer up each time before
                    it is evicted; 0: only lossy ones are admitted (0); -1s: for ever

A log:
  -sync WHEN        when the disk has to have records, so that they survive a power cut:
                      none         when the system sees fit (a kill loses nothing)
                      interval=D   within D
                      each         before they count as published
  -retain LIMIT     remove the oldest segments beyond a size, or older than a duration;
                    may be given twice, once for each

Output, on standard error:
  -progress         a progress line, also when standard error is no terminal
  -json             the summary as one JSON object: url, medium, published, bytes, seconds,
                    evicted, fence, error
  -version          print the version
  -demo             start three consumers and a stream, kill one of them, and show what
                    the others notice; about six seconds, needs nothing, leaves nothing

SIZE: bytes, or with KiB, MiB, GiB. D: a duration such as 200ms or 10s.

Signals: the first SIGINT or SIGTERM ends the stream in good order, the second stops at
once. SIGUSR1 prints statistics of the ring and of each consumer.

Exit: 0 all published, 1 error, 2 usage, 130 second signal.

Examples:
  consumer shm://words &  producer -consumers 1 shm://words < /usr/share/dict/words
  tail -f app.log | producer shm://log
  producer -gen 10000000 -batch 64 -consumers 3 shm://load
  producer pipe: < access.log | consumer pipe: | wc -l
`

const consumerUsage = `consumer [flags] URL

Writes the records that a producer puts on a ring to standard output, or checks and
times them. It waits for the producer if there is none yet.

` + urlTable + `
Joining:
  -policy P         what happens when this consumer falls a whole lap behind (reliable):
                      reliable     the producer waits, for as long as it takes
                      deadline=D   the producer waits for D, then evicts this consumer
                      lossy        the producer never waits; losses are counted exactly
  -from WHERE       latest: what comes from now on; oldest: all that the ring still keeps;
                    seq=N: from record N (latest; of a log: oldest); of a log also
                    time=T: from that time on, T such as 2006-01-02T15:04:05Z
  -connect D        wait up to D for a producer that lives (10s); with -from oldest or
                    seq=N, what a dead one left, and an ended file: or log:, can be
                    read too
  -name TEXT        shown in statistics and to the producer (the program and its pid)
  -wait HOW         for records: spin, yield, block or adaptive (adaptive)

Records:
  -split HOW        what is written for each record (lines):
                      lines    the record and a newline
                      nul      the record and a zero byte
                      len32    its length, u32 little-endian, then the record
                      all      the record alone
                      frames   the frames themselves, as a stream that
                               "producer -split frames" reads
  -type T           only records of type T
  -n N              leave after N records
  -verify           check the generator's records; print none
  -latency          measure how old they are when they arrive; print none

Afterwards:
  -linger D         when the producer dies, wait up to D for the next one (0: leave)
  -follow           after a clean end, too, wait for the next producer and go on

Output, on standard error:
  -progress         a progress line, also when standard error is no terminal
  -json             the summary as one JSON object: url, medium, name, policy, received,
                    bytes, seconds, lost, first_lost, last_lost, torn, out_of_order,
                    duplicates, epochs, latency_ns {p50, p90, p99, p999, max}, error
  -version          print the version

D: a duration such as 200ms or 10s.

Signals: the first SIGINT or SIGTERM leaves the ring in good order, the second stops at
once. SIGUSR1 prints statistics of the ring and of each consumer. A closed standard
output (| head) ends the consumer quietly.

Exit: 0 end of the stream and nothing wrong; 1 error; 2 usage; 3 evicted, torn, or lost
though not lossy; 4 the producer died; 130 second signal.

Examples:
  consumer shm://log | grep ERROR
  consumer -policy lossy -from oldest shm://log | tail
  consumer -verify -latency -json shm://load
`
