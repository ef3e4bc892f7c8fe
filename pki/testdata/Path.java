import java.io.FileInputStream;
import java.security.cert.*;
import java.util.*;

/** Verifies chain.pem of each directory against its root.pem as a JVM does. */
public class Path {
    public static void main(String[] dirs) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509");
        for (String dir : dirs) {
            String verdict = "ok";
            try (FileInputStream chain = new FileInputStream(dir + "/chain.pem");
                 FileInputStream root = new FileInputStream(dir + "/root.pem")) {
                CertPath path = factory.generateCertPath(new ArrayList<>(factory.generateCertificates(chain)));
                TrustAnchor anchor = new TrustAnchor((X509Certificate) factory.generateCertificate(root), null);
                PKIXParameters params = new PKIXParameters(Set.of(anchor));
                params.setRevocationEnabled(false);
                CertPathValidator.getInstance("PKIX").validate(path, params);
            } catch (CertPathValidatorException e) {
                verdict = "refused";
            } catch (RuntimeException e) {
                verdict = "fell: " + e;
            }
            System.out.println(dir + "\t" + verdict);
        }
    }
}
