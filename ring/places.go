package ring

import (
	"github.com/carousel-ipc/carousel/shm"
)

// places is the slot segment of a ring whose slots are memory of their own: a
// reservation of the segment's size, over each page of which the slot's memory
// is laid when it comes to be. To the engine it is a slot segment like any
// other. Page 0 belongs to nobody else; the count of joins in it is private.
type places struct {
	*shm.Region
	access shm.Access
	forget func(*places) // called before the memory goes
}

func newPlaces(geo geometry, a shm.Access, forget func(*places)) (*places, error) {
	r, err := shm.Reserve(int(geo.slotsSize()))
	if err != nil {
		return nil, err
	}
	return &places{Region: r, access: a, forget: forget}, nil
}

func (p *places) lay(slot int, f *shm.File) error {
	return p.Overlay(int(slotPage(slot)), f, p.access)
}

func (p *places) Blank() error {
	p.forget(p)
	return p.Region.Blank()
}

func (p *places) Unmap() error {
	p.forget(p)
	return p.Region.Unmap()
}
