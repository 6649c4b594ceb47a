package main

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/png"
	"slices"
)

// colors is how many colors a picture has: a page has few, besides the edges of its
// letters.
const colors = 240

// picture is a screenshot in few colors.
func picture(shot []byte) ([]byte, error) {
	all, err := reduced(shot)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, all[0])
	return out.Bytes(), err
}

// frame is a picture of a film, and how long it is seen, in hundredths of a second.
type frame struct {
	shot []byte
	long int
}

// film is an animated picture that repeats. Of each frame only what changes is kept.
func film(frames []frame) ([]byte, error) {
	var shots [][]byte
	for _, f := range frames {
		shots = append(shots, f.shot)
	}
	all, err := reduced(shots...)
	if err != nil {
		return nil, err
	}
	made := &gif.GIF{}
	for i, now := range all {
		part := now
		if i > 0 {
			part = now.SubImage(changed(all[i-1], now)).(*image.Paletted)
		}
		made.Image, made.Delay, made.Disposal = append(made.Image, part), append(made.Delay, frames[i].long), append(made.Disposal, gif.DisposalNone)
	}
	var out bytes.Buffer
	err = gif.EncodeAll(&out, made)
	return out.Bytes(), err
}

// changed is the part in which a frame differs from the one before.
func changed(before, now *image.Paletted) image.Rectangle {
	part := image.Rectangle{}
	for i, c := range now.Pix {
		if before.Pix[i] != c {
			at := image.Pt(i%now.Stride, i/now.Stride)
			part = part.Union(image.Rectangle{at, at.Add(image.Pt(1, 1))})
		}
	}
	if part.Empty() {
		return image.Rect(0, 0, 1, 1)
	}
	return part
}

// reduced are screenshots in their most frequent colors. Those that are much alike
// count as one, so that what is small keeps its color.
func reduced(shots ...[]byte) ([]*image.Paletted, error) {
	var all []image.Image
	seen := map[[3]byte]map[color.RGBA]int{}
	for _, shot := range shots {
		one, err := png.Decode(bytes.NewReader(shot))
		if err != nil {
			return nil, fmt.Errorf("reading a screenshot: %w", err)
		}
		all = append(all, one)
		for y := range one.Bounds().Dy() {
			for x := range one.Bounds().Dx() {
				c := color.RGBAModel.Convert(one.At(x, y)).(color.RGBA)
				alike := [3]byte{c.R >> 4, c.G >> 4, c.B >> 4}
				if seen[alike] == nil {
					seen[alike] = map[color.RGBA]int{}
				}
				seen[alike][c]++
			}
		}
	}
	type frequent struct {
		color.RGBA
		most, all int
	}
	var found []frequent
	for _, alike := range seen {
		var one frequent
		for c, n := range alike {
			if one.all += n; n > one.most || n == one.most && bytes.Compare([]byte{c.R, c.G, c.B}, []byte{one.R, one.G, one.B}) < 0 {
				one.RGBA, one.most = c, n
			}
		}
		found = append(found, one)
	}
	slices.SortFunc(found, func(a, b frequent) int {
		return cmp.Or(b.all-a.all, bytes.Compare([]byte{a.R, a.G, a.B}, []byte{b.R, b.G, b.B}))
	})
	var palette color.Palette
	for _, one := range found[:min(len(found), colors)] {
		palette = append(palette, one.RGBA)
	}
	var pictures []*image.Paletted
	for _, one := range all {
		made := image.NewPaletted(image.Rect(0, 0, one.Bounds().Dx(), one.Bounds().Dy()), palette)
		draw.Draw(made, made.Rect, one, one.Bounds().Min, draw.Src)
		pictures = append(pictures, made)
	}
	return pictures, nil
}
