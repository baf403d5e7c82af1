// Writes CMP messages made with Bouncy Castle: java -cp ... Record.java TARGET (see record-bouncycastle.sh).
import java.math.BigInteger;
import java.nio.file.*;
import java.security.*;
import java.security.spec.ECGenParameterSpec;
import java.util.*;
import org.bouncycastle.asn1.*;
import org.bouncycastle.asn1.cmp.*;
import org.bouncycastle.asn1.crmf.*;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.*;
import org.bouncycastle.cert.*;
import org.bouncycastle.cert.cmp.*;
import org.bouncycastle.cert.crmf.*;
import org.bouncycastle.cert.crmf.jcajce.*;
import org.bouncycastle.cert.jcajce.*;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.jcajce.*;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.*;
import org.bouncycastle.operator.jcajce.*;
import org.bouncycastle.pkcs.jcajce.*;

public class Record {
  static final char[] SECRET = "insecure".toCharArray();
  static final SecureRandom RANDOM = new SecureRandom();
  static final Date NOW = new Date();
  static final Date END = new Date(NOW.getTime() + 3650L * 86400 * 1000);
  static Path target;
  static KeyPair caKey, deviceKey, encryptionKey;
  static X509CertificateHolder ca, encryption;

  static KeyPair key(String algorithm) throws Exception {
    KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm.startsWith("P-") ? "EC" : algorithm, "BC");
    if (algorithm.startsWith("P-")) generator.initialize(new ECGenParameterSpec(algorithm));
    if (algorithm.equals("RSA")) generator.initialize(2048);
    return generator.generateKeyPair();
  }

  static ContentSigner signer(String algorithm, PrivateKey key) throws Exception {
    return new JcaContentSignerBuilder(algorithm).setProvider("BC").build(key);
  }

  static X509CertificateHolder certificate(String subject, PublicKey key, int usage) throws Exception {
    JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
        new X500Name("CN=Bouncy CA"), BigInteger.valueOf(1000 + RANDOM.nextInt(100000)), NOW, END,
        new X500Name(subject), key);
    JcaX509ExtensionUtils utils = new JcaX509ExtensionUtils();
    builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(subject.equals("CN=Bouncy CA")));
    builder.addExtension(Extension.keyUsage, true, new KeyUsage(usage));
    builder.addExtension(Extension.subjectKeyIdentifier, false, utils.createSubjectKeyIdentifier(key));
    return builder.build(signer("SHA256withECDSA", caKey.getPrivate()));
  }

  static byte[] random(int size) {
    byte[] octets = new byte[size];
    RANDOM.nextBytes(octets);
    return octets;
  }

  static ProtectedPKIMessageBuilder header(int pvno, GeneralName sender, int type, ASN1Encodable content) {
    return new ProtectedPKIMessageBuilder(pvno, sender, new GeneralName(new X500Name("CN=Test CA")))
        .setTransactionID(random(16)).setSenderNonce(random(16)).setMessageTime(NOW)
        .setBody(new PKIBody(type, content));
  }

  static GeneralName named(String name) { return new GeneralName(new X500Name(name)); }

  static void write(String name, ASN1Encodable message) throws Exception {
    Files.write(target.resolve(name + ".der"), message.toASN1Primitive().getEncoded("DER"));
  }

  static void write(String name, X509CertificateHolder certificate) throws Exception {
    String text = Base64.getMimeEncoder(64, "\n".getBytes()).encodeToString(certificate.getEncoded());
    Files.writeString(target.resolve(name + ".pem"),
        "-----BEGIN CERTIFICATE-----\n" + text + "\n-----END CERTIFICATE-----\n");
  }

  static PKMACBuilder pbm(int iterations) throws Exception {
    return new PKMACBuilder(new JcePKMACValuesCalculator().setProvider("BC")).setIterationCount(iterations)
        .setParameters(new PBMParameter(random(16), new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256), iterations,
            new AlgorithmIdentifier(org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers.id_hmacWithSHA256)));
  }

  static ProtectedPKIMessage pbm(String name, int type, ASN1Encodable content) throws Exception {
    ProtectedPKIMessage message = header(2, named("CN=dev1"), type, content)
        .setSenderKID("bouncy".getBytes()).build(pbm(1000).build(SECRET));
    write("pbm-" + name, message.toASN1Structure());
    return message;
  }

  static ProtectedPKIMessage signed(String name, int pvno, int type, ASN1Encodable content, String kind,
      String algorithm) throws Exception {
    KeyPair pair = kind.equals("P-256") ? deviceKey : key(kind);
    X509CertificateHolder holder = certificate("CN=dev1", pair.getPublic(), KeyUsage.digitalSignature);
    ProtectedPKIMessage message = header(pvno, named("CN=dev1"), type, content)
        .setSenderKID(SubjectKeyIdentifier.fromExtensions(holder.getExtensions()).getKeyIdentifier())
        .addCMPCertificate(holder).build(signer(algorithm, pair.getPrivate()));
    write("sig-" + name, message.toASN1Structure());
    return message;
  }

  static CertificateRequestMessageBuilder request(int id, String subject, PublicKey key) {
    return new CertificateRequestMessageBuilder(BigInteger.valueOf(id)).setSubject(new X500Name(subject))
        .setPublicKey(SubjectPublicKeyInfo.getInstance(key.getEncoded()));
  }

  static CertReqMessages requests(CertificateRequestMessageBuilder... builders) throws Exception {
    CertReqMsg[] messages = new CertReqMsg[builders.length];
    for (int i = 0; i < builders.length; ++i) messages[i] = builders[i].build().toASN1Structure();
    return new CertReqMessages(messages);
  }

  static CertificateRequestMessageBuilder ordinary(int id) throws Exception {
    return request(id, "CN=dev1", deviceKey.getPublic())
        .setProofOfPossessionSigningKeySigner(signer("SHA256withECDSA", deviceKey.getPrivate()));
  }

  static void enrolments() throws Exception {
    pbm("one.ir", PKIBody.TYPE_INIT_REQ, requests(ordinary(0)));
    KeyPair second = key("P-384");
    pbm("two.ir", PKIBody.TYPE_INIT_REQ, requests(ordinary(0), request(1, "CN=dev1", second.getPublic())
        .setProofOfPossessionSigningKeySigner(signer("SHA384withECDSA", second.getPrivate()))));
    ExtensionsGenerator wanted = new ExtensionsGenerator();
    wanted.addExtension(Extension.subjectAlternativeName, false,
        new GeneralNames(new GeneralName(GeneralName.dNSName, "dev1.grid.example")));
    wanted.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
    CertificateRequestMessageBuilder withExtensions = ordinary(0);
    withExtensions.addExtension(Extension.subjectAlternativeName, false,
        wanted.generate().getExtensionParsedValue(Extension.subjectAlternativeName));
    withExtensions.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.digitalSignature));
    pbm("extensions.ir", PKIBody.TYPE_INIT_REQ, requests(withExtensions));
    pbm("ra-verified.ir", PKIBody.TYPE_INIT_REQ,
        requests(request(0, "CN=dev1", deviceKey.getPublic()).setProofOfPossessionRaVerified()));
    pbm("public-key-mac.ir", PKIBody.TYPE_INIT_REQ, requests(new CertificateRequestMessageBuilder(BigInteger.ZERO)
        .setPublicKey(SubjectPublicKeyInfo.getInstance(deviceKey.getPublic().getEncoded()))
        .setAuthInfoPKMAC(pbm(1000), SECRET)
        .setProofOfPossessionSigningKeySigner(signer("SHA256withECDSA", deviceKey.getPrivate()))));
    pbm("auth-info-sender.ir", PKIBody.TYPE_INIT_REQ, requests(new CertificateRequestMessageBuilder(BigInteger.ZERO)
        .setPublicKey(SubjectPublicKeyInfo.getInstance(deviceKey.getPublic().getEncoded()))
        .setAuthInfoSender(new X500Name("CN=dev1"))
        .setProofOfPossessionSigningKeySigner(signer("SHA256withECDSA", deviceKey.getPrivate()))));
    pbm("encr-cert.ir", PKIBody.TYPE_INIT_REQ, requests(request(0, "CN=dev1", encryptionKey.getPublic())
        .setProofOfPossessionSubsequentMessage(SubsequentMessage.encrCert)));
    pbm("challenge.ir", PKIBody.TYPE_INIT_REQ, requests(request(0, "CN=dev1", encryptionKey.getPublic())
        .setProofOfPossessionSubsequentMessage(SubsequentMessage.challengeResp)));
    pbm("controls.ir", PKIBody.TYPE_INIT_REQ, requests(ordinary(0)
        .addControl(new RegTokenControl("once only")).addControl(new AuthenticatorControl("mother's name"))));
    pbm("archive.ir", PKIBody.TYPE_INIT_REQ, requests(ordinary(0).addControl(archive())));
    pbm("p10cr", PKIBody.TYPE_P10_CERT_REQ,
        new JcaPKCS10CertificationRequestBuilder(new X500Name("CN=dev1"), deviceKey.getPublic())
            .build(signer("SHA256withECDSA", deviceKey.getPrivate())).toASN1Structure());
    write("pbmac1-one.ir", header(2, named("CN=dev1"), PKIBody.TYPE_INIT_REQ, requests(ordinary(0)))
        .setSenderKID("bouncy".getBytes())
        .build(new JcePBMac1CalculatorBuilder("HmacSHA256", 256).setProvider("BC").setIterationCount(2000)
            .build(SECRET)).toASN1Structure());
    signed("ecdsa.ir", 2, PKIBody.TYPE_INIT_REQ, requests(ordinary(0)), "P-256", "SHA256withECDSA");
    signed("ecdsa-pvno3.cr", 3, PKIBody.TYPE_CERT_REQ, requests(ordinary(0)), "P-256", "SHA256withECDSA");
    signed("p384.cr", 2, PKIBody.TYPE_CERT_REQ, requests(ordinary(0)), "P-384", "SHA384withECDSA");
    signed("rsa.cr", 2, PKIBody.TYPE_CERT_REQ, requests(ordinary(0)), "RSA", "SHA256withRSA");
    signed("pss.cr", 2, PKIBody.TYPE_CERT_REQ, requests(ordinary(0)), "RSA", "SHA256withRSAandMGF1");
    signed("ed25519.cr", 2, PKIBody.TYPE_CERT_REQ, requests(ordinary(0)), "Ed25519", "Ed25519");
    signed("ed448.cr", 2, PKIBody.TYPE_CERT_REQ, requests(ordinary(0)), "Ed448", "Ed448");
    signed("kur", 2, PKIBody.TYPE_KEY_UPDATE_REQ, requests(ordinary(0)), "P-256", "SHA256withECDSA");
  }

  static Control archive() throws Exception {
    return new JcaPKIArchiveControlBuilder(deviceKey.getPrivate(), new X500Name("CN=dev1"))
        .addRecipientGenerator(new JceKeyTransRecipientInfoGenerator(
            new JcaX509CertificateConverter().getCertificate(encryption)).setProvider("BC"))
        .build(new JceCMSContentEncryptorBuilder(CMSAlgorithm.AES256_CBC).setProvider("BC").build());
  }

  static void others() throws Exception {
    X509CertificateHolder device = certificate("CN=dev1", deviceKey.getPublic(), KeyUsage.digitalSignature);
    DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
    pbm("certConf", PKIBody.TYPE_CERT_CONFIRM, new CertificateConfirmationContentBuilder()
        .addAcceptedCertificate(device, BigInteger.ZERO).addAcceptedCertificate(encryption, BigInteger.ONE)
        .build(digests).toASN1Structure());
    pbm("pkiconf", PKIBody.TYPE_CONFIRM, new PKIConfirmContent());
    pbm("pollReq", PKIBody.TYPE_POLL_REQ,
        new PollReqContent(new BigInteger[] {BigInteger.ZERO, BigInteger.ONE}));
    pbm("pollRep", PKIBody.TYPE_POLL_REP,
        new PollRepContent(new ASN1Integer(0), new ASN1Integer(3600), new PKIFreeText("in an hour")));
    pbm("error", PKIBody.TYPE_ERROR, new ErrorMsgContent(
        new PKIStatusInfo(PKIStatus.rejection, new PKIFreeText("no"), new PKIFailureInfo(PKIFailureInfo.badTime)),
        new ASN1Integer(7), new PKIFreeText("details")));
    pbm("genm", PKIBody.TYPE_GEN_MSG, new GenMsgContent(new InfoTypeAndValue[] {
        new InfoTypeAndValue(CMPObjectIdentifiers.it_currentCRL),
        new InfoTypeAndValue(CMPObjectIdentifiers.it_signKeyPairTypes),
        new InfoTypeAndValue(CMPObjectIdentifiers.it_caProtEncCert)}));
    CertTemplate victim = new CertTemplateBuilder().setIssuer(ca.getSubject())
        .setSerialNumber(new ASN1Integer(device.getSerialNumber())).build();
    Extensions compromise = new Extensions(new Extension(Extension.reasonCode, false,
        CRLReason.lookup(CRLReason.keyCompromise).getEncoded()));
    signed("rr", 2, PKIBody.TYPE_REVOCATION_REQ, new RevReqContent(new RevDetails(victim, compromise)), "P-256",
        "SHA256withECDSA");
    signed("two.rr", 2, PKIBody.TYPE_REVOCATION_REQ,
        new RevReqContent(new RevDetails[] {new RevDetails(victim, compromise), new RevDetails(victim)}), "P-256",
        "SHA256withECDSA");
    signed("krr", 2, PKIBody.TYPE_KEY_RECOVERY_REQ, requests(ordinary(0)), "P-256", "SHA256withECDSA");
    signed("ccr", 2, PKIBody.TYPE_CROSS_CERT_REQ, requests(ordinary(0)), "P-256", "SHA256withECDSA");
    announcements(device);
  }

  static CMPCertificate plain(X509CertificateHolder holder) { return new CMPCertificate(holder.toASN1Structure()); }

  static void announcements(X509CertificateHolder device) throws Exception {
    X509CRLHolder crl = new X509v2CRLBuilder(ca.getSubject(), NOW).setNextUpdate(END)
        .addCRLEntry(device.getSerialNumber(), NOW, CRLReason.superseded)
        .build(signer("SHA256withECDSA", caKey.getPrivate()));
    signed("crlann", 2, PKIBody.TYPE_CRL_ANN, new CRLAnnContent(crl.toASN1Structure()), "P-256", "SHA256withECDSA");
    signed("cann", 2, PKIBody.TYPE_CERT_ANN, plain(device), "P-256", "SHA256withECDSA");
    signed("ckuann", 2, PKIBody.TYPE_CA_KEY_UPDATE_ANN, new CAKeyUpdAnnContent(plain(ca), plain(ca), plain(ca)),
        "P-256", "SHA256withECDSA");
    signed("rann", 2, PKIBody.TYPE_REVOCATION_ANN, new RevAnnContent(PKIStatus.revocationWarning,
        new CertId(new GeneralName(ca.getSubject()), device.getSerialNumber()), new ASN1GeneralizedTime(END),
        new ASN1GeneralizedTime(NOW)), "P-256", "SHA256withECDSA");
  }

  static void nested() throws Exception {
    PKIMessage first = pbm("member.ir", PKIBody.TYPE_INIT_REQ, requests(ordinary(0))).toASN1Structure();
    PKIMessage second = signed("member.cr", 2, PKIBody.TYPE_CERT_REQ, requests(ordinary(0)), "P-256",
        "SHA256withECDSA").toASN1Structure();
    signed("one.nested", 2, PKIBody.TYPE_NESTED, new NestedMessageContent(first), "P-256", "SHA256withECDSA");
    signed("two.nested", 2, PKIBody.TYPE_NESTED, new NestedMessageContent(new PKIMessage[] {first, second}), "P-256",
        "SHA256withECDSA");
  }

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    target = Path.of(arguments[0]);
    caKey = key("P-256");
    deviceKey = key("P-256");
    encryptionKey = key("RSA");
    ca = certificate("CN=Bouncy CA", caKey.getPublic(), KeyUsage.keyCertSign | KeyUsage.cRLSign);
    encryption = certificate("CN=dev1", encryptionKey.getPublic(), KeyUsage.keyEncipherment);
    write("ca", ca);
    enrolments();
    others();
    nested();
  }
}
