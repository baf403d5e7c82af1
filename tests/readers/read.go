// Reads the certificates or CRLs of a bundle with Go's crypto/x509; says which it cannot read.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"strings"
)

func read(kind string, der []byte) error {
	if kind == "crl" {
		_, err := x509.ParseRevocationList(der)
		return err
	}
	_, err := x509.ParseCertificate(der)
	return err
}

func main() {
	file, err := os.Open(os.Args[2])
	if err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		label, text, _ := strings.Cut(lines.Text(), "\t")
		der, err := base64.StdEncoding.DecodeString(text)
		if err == nil {
			err = read(os.Args[1], der)
		}
		if err != nil {
			fmt.Printf("%s\t%v\n", label, err)
		}
	}
	if lines.Err() != nil {
		panic(lines.Err())
	}
}
