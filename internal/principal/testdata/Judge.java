import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Locale;
import javax.security.auth.x500.X500Principal;
import org.apache.kafka.common.security.ssl.SslPrincipalMapper;

/** Answers, line by line, what Java and Kafka make of names and rules. */
public class Judge {
    static SslPrincipalMapper rules;

    static byte[] decode(String text) {
        return Base64.getDecoder().decode(text);
    }

    static String text(String encoded) {
        return new String(decode(encoded), StandardCharsets.UTF_8);
    }

    static String answer(String kind, String argument) throws Exception {
        switch (kind) {
            case "name":
                return new X500Principal(decode(argument)).getName();
            case "rules":
                rules = null;
                rules = SslPrincipalMapper.fromRules(text(argument));
                return "";
            case "apply":
                return rules.getName(text(argument));
            case "lower":
                return text(argument).toLowerCase(Locale.ENGLISH);
            case "upper":
                return text(argument).toUpperCase(Locale.ENGLISH);
            default:
                throw new IllegalStateException(kind);
        }
    }

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        var out = new PrintStream(System.out, false, StandardCharsets.US_ASCII);
        for (String line; (line = in.readLine()) != null; ) {
            int space = line.indexOf(' ');
            try {
                String got = answer(line.substring(0, space), line.substring(space + 1));
                out.println("=" + Base64.getEncoder().encodeToString(got.getBytes(StandardCharsets.UTF_8)));
            } catch (Exception | StackOverflowError e) {
                String why = e.toString();
                out.println("!" + Base64.getEncoder().encodeToString(why.getBytes(StandardCharsets.UTF_8)));
            }
        }
        out.flush();
    }
}
