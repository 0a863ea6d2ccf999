(* Finite sums of reals over lists, with the inequalities that the other files rest on: monotonicity, the triangle
   inequality, Cauchy-Schwarz, and the arithmetic against the geometric mean. *)

From Coq Require Import Reals Lra Lia List Permutation.
Import ListNotations.
Open Scope R_scope.

(* The sum of f over the entries of l; an entry that occurs twice counts twice. *)
Fixpoint sum {A : Type} (f : A -> R) (l : list A) : R :=
  match l with
  | [] => 0
  | a :: rest => f a + sum f rest
  end.

(* The mean; of no entries, 0 / 0, whose value is never used. *)
Definition mean {A : Type} (f : A -> R) (l : list A) : R := sum f l / INR (length l).

Section Algebra.
  Context {A B : Type}.
  Implicit Types (f g : A -> R) (l m : list A).

  Lemma sum_nil f : sum f [] = 0.
  Proof. reflexivity. Qed.

  Lemma sum_cons f a l : sum f (a :: l) = f a + sum f l.
  Proof. reflexivity. Qed.

  Lemma sum_app f l m : sum f (l ++ m) = sum f l + sum f m.
  Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

  Lemma sum_eq f g l : (forall a, In a l -> f a = g a) -> sum f l = sum g l.
  Proof.
    induction l as [|a l IH]; intros H; simpl; [reflexivity|].
    rewrite (H a (or_introl eq_refl)), IH; [reflexivity|].
    intros b Hb. apply H. now right.
  Qed.

  Lemma sum_zero f l : (forall a, In a l -> f a = 0) -> sum f l = 0.
  Proof.
    intros H. rewrite (sum_eq f (fun _ => 0) l H). clear H.
    induction l as [|a l IH]; simpl; [|rewrite IH]; lra.
  Qed.

  Lemma sum_const c l : sum (fun _ => c) l = INR (length l) * c.
  Proof.
    induction l as [|a l IH]; [simpl; lra|].
    change (c + sum (fun _ => c) l = INR (S (length l)) * c). rewrite IH, S_INR. lra.
  Qed.

  Lemma sum_plus f g l : sum (fun a => f a + g a) l = sum f l + sum g l.
  Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

  Lemma sum_minus f g l : sum (fun a => f a - g a) l = sum f l - sum g l.
  Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

  Lemma sum_opp f l : sum (fun a => - f a) l = - sum f l.
  Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

  Lemma sum_scal c f l : sum (fun a => c * f a) l = c * sum f l.
  Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

  Lemma sum_scal_r c f l : sum (fun a => f a * c) l = sum f l * c.
  Proof. induction l as [|a l IH]; simpl; [|rewrite IH]; lra. Qed.

  Lemma sum_map (h : B -> A) f (l : list B) : sum f (map h l) = sum (fun b => f (h b)) l.
  Proof. induction l as [|b l IH]; simpl; [|rewrite IH]; reflexivity. Qed.

  Lemma sum_flat_map (h : B -> list A) f (l : list B) : sum f (flat_map h l) = sum (fun b => sum f (h b)) l.
  Proof. induction l as [|b l IH]; simpl; [reflexivity|]. now rewrite sum_app, IH. Qed.

  Lemma sum_filter (keep : A -> bool) f l : sum f (filter keep l) = sum (fun a => if keep a then f a else 0) l.
  Proof. induction l as [|a l IH]; simpl; [reflexivity|]. destruct (keep a); simpl; rewrite IH; lra. Qed.

  Lemma sum_permutation f l m : Permutation l m -> sum f l = sum f m.
  Proof. induction 1; simpl; lra. Qed.
End Algebra.

Lemma sum_swap {A B : Type} (h : A -> B -> R) (l : list A) (m : list B) :
  sum (fun a => sum (h a) m) l = sum (fun b => sum (fun a => h a b) l) m.
Proof.
  induction l as [|a l IH]; simpl; [now rewrite sum_zero|].
  now rewrite IH, sum_plus.
Qed.

Section TwoLists.
  Context {A B : Type}.
  Implicit Types (f g : A -> R) (l : list A).

  Lemma sum_product f (g : B -> R) l (m : list B) :
    sum f l * sum g m = sum (fun a => sum (fun b => f a * g b) m) l.
  Proof. rewrite <- sum_scal_r. apply sum_eq. intros a _. now rewrite sum_scal. Qed.

  (* Each entry of l falls to exactly one of the distinct values in m. *)
  Lemma sum_by_value (value : A -> B) (eq_dec : forall b c : B, {b = c} + {b <> c}) f l (m : list B) :
    NoDup m -> (forall a, In a l -> In (value a) m) ->
    sum (fun b => sum (fun a => if eq_dec (value a) b then f a else 0) l) m = sum f l.
  Proof.
    intros distinct covered. rewrite sum_swap. apply sum_eq. intros a Ha.
    specialize (covered a Ha). clear Ha. induction distinct as [|b m fresh _ IH]; simpl; [easy|].
    destruct (eq_dec (value a) b) as [<-|differs].
    - rewrite sum_zero; [lra|]. intros c Hc. destruct (eq_dec (value a) c) as [<-|]; easy.
    - rewrite IH; [lra|]. destruct covered as [->|]; easy.
  Qed.
End TwoLists.

(* A sum over places i of the entries of a list is the sum over its entries. *)
Lemma sum_nth {A : Type} (f : A -> R) (default : A) (l : list A) :
  sum (fun i => f (nth i l default)) (seq 0 (length l)) = sum f l.
Proof.
  induction l as [|a l IH]; simpl; [reflexivity|].
  now rewrite <- seq_shift, sum_map, IH.
Qed.

Section Order.
  Context {A : Type}.
  Implicit Types (f g : A -> R) (l : list A).

  Lemma sum_nonneg f l : (forall a, In a l -> 0 <= f a) -> 0 <= sum f l.
  Proof.
    induction l as [|a l IH]; intros H; simpl; [lra|].
    apply Rplus_le_le_0_compat; [apply H; now left|apply IH; intros; apply H; now right].
  Qed.

  Lemma sum_le f g l : (forall a, In a l -> f a <= g a) -> sum f l <= sum g l.
  Proof.
    induction l as [|a l IH]; intros H; simpl; [lra|].
    apply Rplus_le_compat; [apply H; now left|apply IH; intros; apply H; now right].
  Qed.

  Lemma sum_lt f g l : (forall a, In a l -> f a <= g a) -> (exists a, In a l /\ f a < g a) -> sum f l < sum g l.
  Proof.
    induction l as [|a l IH]; intros weak [b [Hb strict]]; simpl; [easy|].
    assert (f a <= g a) by (apply weak; now left).
    assert (sum f l <= sum g l) by (apply sum_le; intros; apply weak; now right).
    destruct Hb as [->|Hb]; [lra|].
    assert (sum f l < sum g l); [|lra].
    apply IH; [intros; apply weak; now right|now exists b].
  Qed.

  (* A sum of terms that are not negative is at least each of them, and is 0 only if all are. *)
  Lemma sum_ge_term f l a : (forall b, In b l -> 0 <= f b) -> In a l -> f a <= sum f l.
  Proof.
    induction l as [|b l IH]; intros pos Ha; simpl; [easy|].
    assert (0 <= f b) by (apply pos; now left).
    assert (0 <= sum f l) by (apply sum_nonneg; intros; apply pos; now right).
    destruct Ha as [->|Ha]; [lra|].
    assert (f a <= sum f l); [|lra]. apply IH; [|easy]. intros; apply pos; now right.
  Qed.

  Lemma sum_zero_inv f l : (forall a, In a l -> 0 <= f a) -> sum f l = 0 -> forall a, In a l -> f a = 0.
  Proof. intros pos total a Ha. pose proof (sum_ge_term f l a pos Ha). specialize (pos a Ha). lra. Qed.

  Lemma sum_abs f l : Rabs (sum f l) <= sum (fun a => Rabs (f a)) l.
  Proof.
    induction l as [|a l IH]; simpl; [rewrite Rabs_R0; lra|].
    eapply Rle_trans; [apply Rabs_triang|]. lra.
  Qed.

  Lemma sum_sq_nonneg f l : 0 <= sum (fun a => f a * f a) l.
  Proof. apply sum_nonneg. intros a _. nra. Qed.

  (* A quadratic s^2 a + 2 s b + c that is never negative has b^2 <= a c: Cauchy-Schwarz for any such form. *)
  Lemma discriminant (a b c : R) : (forall s, 0 <= s * s * a + 2 * s * b + c) -> b * b <= a * c.
  Proof.
    intros H. destruct (Req_dec a 0) as [->|na].
    - assert (b = 0) as ->; [|lra]. destruct (Req_dec b 0) as [|nb]; [easy|].
      specialize (H (- (c + 1) / (2 * b))). exfalso. revert H.
      replace (2 * (- (c + 1) / (2 * b)) * b) with (- (c + 1)) by (field; easy). lra.
    - assert (0 < a) as pos.
      { assert (0 <= a); [|lra]. destruct (Rle_dec 0 a) as [|neg]; [easy|exfalso].
        assert (0 <= c) by (specialize (H 0); lra).
        (* far out, the leading term wins *)
        pose proof (H (1 + (2 * Rabs b + c) / - a)) as far.
        set (s := 1 + (2 * Rabs b + c) / - a) in far.
        assert (- a * s = - a + 2 * Rabs b + c) as as_ by (unfold s; field; lra).
        assert (0 <= (2 * Rabs b + c) / - a).
        { apply Rmult_le_pos; [pose proof (Rabs_pos b); lra|]. apply Rlt_le, Rinv_0_lt_compat. lra. }
        assert (1 <= s) by (unfold s; lra). assert (b <= Rabs b) by apply Rle_abs. nra. }
      pose proof (H (- b / a)) as at_vertex.
      replace (- b / a * (- b / a) * a + 2 * (- b / a) * b + c) with ((a * c - b * b) / a) in at_vertex
        by (field; lra).
      assert (0 <= (a * c - b * b) / a * a) by (apply Rmult_le_pos; lra).
      replace ((a * c - b * b) / a * a) with (a * c - b * b) in * by (field; lra). lra.
  Qed.

  Lemma cauchy_schwarz f g l :
    sum (fun a => f a * g a) l * sum (fun a => f a * g a) l
    <= sum (fun a => f a * f a) l * sum (fun a => g a * g a) l.
  Proof.
    apply discriminant. intros s.
    replace (s * s * sum (fun a => f a * f a) l + 2 * s * sum (fun a => f a * g a) l + sum (fun a => g a * g a) l)
      with (sum (fun a => (s * f a + g a) * (s * f a + g a)) l); [apply sum_sq_nonneg|].
    rewrite <- !sum_scal, <- !sum_plus. apply sum_eq. intros a _. ring.
  Qed.

  Lemma cauchy_schwarz_sqrt f g l :
    Rabs (sum (fun a => f a * g a) l)
    <= sqrt (sum (fun a => f a * f a) l) * sqrt (sum (fun a => g a * g a) l).
  Proof.
    rewrite <- sqrt_mult_alt by apply sum_sq_nonneg.
    rewrite <- sqrt_Rsqr_abs. apply sqrt_le_1_alt. unfold Rsqr. apply cauchy_schwarz.
  Qed.

  (* The triangle inequality of the Euclidean norm. *)
  Lemma minkowski f g l :
    sqrt (sum (fun a => (f a + g a) * (f a + g a)) l)
    <= sqrt (sum (fun a => f a * f a) l) + sqrt (sum (fun a => g a * g a) l).
  Proof.
    pose proof (sqrt_pos (sum (fun a => f a * f a) l)). pose proof (sqrt_pos (sum (fun a => g a * g a) l)).
    rewrite <- (sqrt_square (sqrt (sum (fun a => f a * f a) l) + sqrt (sum (fun a => g a * g a) l))) by lra.
    apply sqrt_le_1_alt.
    replace (sum (fun a => (f a + g a) * (f a + g a)) l)
      with (sum (fun a => f a * f a) l + 2 * sum (fun a => f a * g a) l + sum (fun a => g a * g a) l)
      by (rewrite <- sum_scal, <- !sum_plus; apply sum_eq; intros; ring).
    pose proof (cauchy_schwarz_sqrt f g l). pose proof (Rle_abs (sum (fun a => f a * g a) l)).
    pose proof (sqrt_sqrt _ (sum_sq_nonneg f l)). pose proof (sqrt_sqrt _ (sum_sq_nonneg g l)). nra.
  Qed.

  (* The square of the mean is at most the mean of the squares. *)
  Lemma sum_sq_le f l : sum f l * sum f l <= INR (length l) * sum (fun a => f a * f a) l.
  Proof.
    pose proof (cauchy_schwarz (fun _ => 1) f l) as C.
    rewrite (sum_eq (fun a => 1 * f a) f), sum_const in C by (intros; ring). lra.
  Qed.

  (* The weighted arithmetic and geometric means. *)
  Lemma am_gm (a b : R) : 0 <= a -> 0 <= b -> 2 * sqrt (a * b) <= a + b.
  Proof.
    intros Ha Hb. rewrite sqrt_mult_alt by easy.
    pose proof (sqrt_sqrt a Ha). pose proof (sqrt_sqrt b Hb). pose proof (Rle_0_sqr (sqrt a - sqrt b)) as sq.
    unfold Rsqr in sq. lra.
  Qed.
End Order.

Section Means.
  Context {A B : Type}.
  Implicit Types (f g : A -> R) (l : list A).

  Lemma length_pos l : l <> [] -> 0 < INR (length l).
  Proof. destruct l; [easy|]. intros _. apply lt_0_INR. simpl. lia. Qed.

  Lemma mean_eq f g l : (forall a, In a l -> f a = g a) -> mean f l = mean g l.
  Proof. intros H. unfold mean. now rewrite (sum_eq f g). Qed.

  Lemma mean_plus f g l : mean (fun a => f a + g a) l = mean f l + mean g l.
  Proof. unfold mean. rewrite sum_plus. apply Rmult_plus_distr_r. Qed.

  Lemma mean_minus f g l : mean (fun a => f a - g a) l = mean f l - mean g l.
  Proof. unfold mean, Rdiv. rewrite sum_minus. ring. Qed.

  Lemma mean_scal c f l : mean (fun a => c * f a) l = c * mean f l.
  Proof. unfold mean, Rdiv. rewrite sum_scal. ring. Qed.

  Lemma mean_const c l : l <> [] -> mean (fun _ => c) l = c.
  Proof. intros H. pose proof (length_pos l H). unfold mean. rewrite sum_const. field. lra. Qed.

  Lemma mean_le f g l : (forall a, In a l -> f a <= g a) -> mean f l <= mean g l.
  Proof.
    intros H. destruct l as [|a l]; [unfold mean; simpl; lra|].
    apply Rmult_le_compat_r; [|now apply sum_le].
    apply Rlt_le, Rinv_0_lt_compat, length_pos. easy.
  Qed.

  Lemma mean_nonneg f l : l <> [] -> (forall a, In a l -> 0 <= f a) -> 0 <= mean f l.
  Proof. intros nonempty H. rewrite <- (mean_const 0 l nonempty). now apply mean_le. Qed.

  Lemma mean_abs f l : Rabs (mean f l) <= mean (fun a => Rabs (f a)) l.
  Proof.
    destruct l as [|a l]; [unfold mean, Rdiv; simpl; rewrite Rmult_0_l, Rabs_R0; lra|].
    assert (0 < / INR (length (a :: l))) as pos by (apply Rinv_0_lt_compat, length_pos; easy).
    unfold mean, Rdiv. rewrite Rabs_mult, (Rabs_pos_eq (/ _)) by lra.
    apply Rmult_le_compat_r; [lra|]. apply sum_abs.
  Qed.

  Lemma mean_sum_swap (h : A -> B -> R) l (m : list B) :
    mean (fun a => sum (h a) m) l = sum (fun b => mean (fun a => h a b) l) m.
  Proof. unfold mean, Rdiv. now rewrite sum_swap, sum_scal_r. Qed.
End Means.
