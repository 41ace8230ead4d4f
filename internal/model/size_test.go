//go:build !race

package model

const tested = Quick
