package tagged

import (
	"fmt"
	"reflect"
)

// Fill sets every zero field of the struct that p points to, and of the structs
// below it, to the default in its tag. A bad tag is a programmer's error.
func Fill(p any) { fillValue(reflect.ValueOf(p).Elem()) }

func fillValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fillValue(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			fillValue(v.Index(i))
		}
	case reflect.Struct:
		for f, fv := range v.Fields() {
			if text := f.Tag.Get("default"); text != "" && fv.IsZero() {
				if err := setText(fv, f, text); err != nil {
					panic(fmt.Sprintf("tagged: default of %s: %v", f.Name, err))
				}
				continue
			}
			if f.IsExported() {
				fillValue(fv)
			}
		}
	}
}
