// Reads the certificates or CRLs of a bundle with Bouncy Castle; says which it cannot read.
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Base64;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.X509CRLHolder;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

public class Read {
  static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();

  static void readExtensions(Extensions extensions) throws Exception {
    if (extensions == null) return;
    for (ASN1ObjectIdentifier id : extensions.getExtensionOIDs()) {
      Extension extension = extensions.getExtension(id);
      ASN1Primitive.fromByteArray(extension.getExtnValue().getOctets()).toString();
      extension.getParsedValue().toString();
    }
    GeneralNames.fromExtensions(extensions, Extension.subjectAlternativeName);
  }

  static void readCertificate(byte[] der) throws Exception {
    X509CertificateHolder holder = new X509CertificateHolder(der);
    holder.getSubject().toString();
    holder.getIssuer().toString();
    readExtensions(holder.getExtensions());
    X509Certificate certificate =
        (X509Certificate)
            CertificateFactory.getInstance("X.509", PROVIDER)
                .generateCertificate(new ByteArrayInputStream(der));
    certificate.getPublicKey().toString();
    certificate.toString();
    certificate.getSubjectX500Principal();
    certificate.getSubjectAlternativeNames();
    certificate.getKeyUsage();
    certificate.getExtendedKeyUsage();
    certificate.getBasicConstraints();
  }

  static void readCrl(byte[] der) throws Exception {
    X509CRLHolder holder = new X509CRLHolder(der);
    holder.getIssuer().toString();
    readExtensions(holder.getExtensions());
    X509CRL crl =
        (X509CRL)
            CertificateFactory.getInstance("X.509", PROVIDER)
                .generateCRL(new ByteArrayInputStream(der));
    crl.toString();
    if (crl.getRevokedCertificates() != null) crl.getRevokedCertificates().toString();
  }

  public static void main(String[] arguments) throws Exception {
    for (String line : Files.readAllLines(Path.of(arguments[1]))) {
      String[] parts = line.split("\t");
      byte[] der = Base64.getDecoder().decode(parts[1]);
      try {
        if (arguments[0].equals("crl")) readCrl(der);
        else readCertificate(der);
      } catch (Throwable fault) {
        System.out.println(parts[0] + "\t" + fault);
      }
    }
  }
}
