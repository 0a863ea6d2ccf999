(* Walker 2023, section 5: the coherence of a distribution of gradients, and of means of independent draws from it. *)

From Coq Require Import Reals Lra Lia List.
From ImplicitSmoothness Require Import Sums vectors pairs.
Import ListNotations.
Open Scope R_scope.

(** * Finite distributions *)

(* A list of weights and outcomes, of any kind; an outcome may be listed more than once. *)
Definition distribution (A : Type) : Type := list (R * A).

Definition is_distribution {A : Type} (D : distribution A) : Prop :=
  (forall o, In o D -> 0 <= fst o) /\ sum fst D = 1.

Definition E {A : Type} (h : A -> R) (D : distribution A) : R := sum (fun o => fst o * h (snd o)) D.

Lemma E_eq {A} (h h' : A -> R) D : (forall o, In o D -> h (snd o) = h' (snd o)) -> E h D = E h' D.
Proof. intros H; apply sum_eq; intros o Ho; rewrite H; auto. Qed.

Lemma E_plus {A} (h h' : A -> R) D : E (fun a => h a + h' a) D = E h D + E h' D.
Proof. unfold E; rewrite <- sum_plus; apply sum_eq; intros; ring. Qed.

Lemma E_scal {A} c (h : A -> R) D : E (fun a => c * h a) D = c * E h D.
Proof. unfold E; rewrite <- sum_scal; apply sum_eq; intros; ring. Qed.

Lemma E_const {A} c (D : distribution A) : is_distribution D -> E (fun _ => c) D = c.
Proof. intros [_ T]; unfold E; rewrite sum_scal_r; unfold Rdiv; rewrite T; ring. Qed.

Lemma E_nonneg {A} (h : A -> R) D : is_distribution D -> (forall o, In o D -> 0 <= h (snd o)) -> 0 <= E h D.
Proof. intros [P _] H; apply sum_nonneg; intros o Ho; apply Rmult_le_pos; auto. Qed.

Lemma E_sum {A I} (h : I -> A -> R) (is : list I) D :
  E (fun a => sum (fun i => h i a) is) D = sum (fun i => E (h i) D) is.
Proof. unfold E; rewrite <- sum_swap; apply sum_eq; intros; rewrite sum_scal; auto. Qed.

(** * Coherence *)

Section Coherence.
  Variable d : nat. (* number of coordinates *)
  Notation dot := (dot d).
  Notation equal := (equal d).

  Definition mean_vector (D : distribution vector) : vector := fun i => E (fun v : vector => v i) D.

  (* E[v.v] and E[v.v'], v and v' drawn independently. *)
  Definition size (D : distribution vector) : R := E (fun v => dot v v) D.
  Definition pairwise (D : distribution vector) : R := E (fun v => E (fun v' => dot v v') D) D.

  Definition coherence (D : distribution vector) : R := pairwise D / size D.

  (* E[v.v'] = |E v|^2 *)
  Lemma pairwise_is_square D : pairwise D = dot (mean_vector D) (mean_vector D).
  Proof.
    unfold pairwise, dot. rewrite (E_eq _ (fun v => sum (fun i => mean_vector D i * v i) (seq 0 d))).
    - rewrite E_sum; apply sum_eq; intros; rewrite E_scal; auto.
    - intros [p v] _; cbn [snd]; rewrite E_sum; apply sum_eq; intros. rewrite E_scal. unfold mean_vector; ring.
  Qed.

  (* E|v - E v|^2 = E|v|^2 - |E v|^2 *)
  Lemma spread D : is_distribution D ->
    E (fun v => dot (fun i => v i - mean_vector D i) (fun i => v i - mean_vector D i)) D = size D - pairwise D.
  Proof.
    intros P; rewrite pairwise_is_square; unfold size, dot; rewrite !E_sum, <- sum_minus.
    apply sum_eq; intros i _. set (mu := mean_vector D i).
    rewrite (E_eq _ (fun v => v i * v i + ((-2 * mu) * v i + mu * mu))) by (intros; ring).
    rewrite !E_plus, E_scal, E_const by auto. fold (mean_vector D i); fold mu. ring.
  Qed.

  Lemma spread_nonneg D : is_distribution D -> pairwise D <= size D.
  Proof.
    intros P. assert (S := spread D P). assert (N := E_nonneg (fun v =>
      dot (fun i => v i - mean_vector D i) (fun i => v i - mean_vector D i)) D P ltac:(intros; apply dot_nonneg)). lra.
  Qed.

  (* W8: 0 <= alpha <= 1. *)
  Theorem coherence_range D : is_distribution D -> 0 < size D -> 0 <= coherence D <= 1.
  Proof.
    intros P G; unfold coherence. assert (N := spread_nonneg D P).
    assert (0 <= pairwise D) by (rewrite pairwise_is_square; apply dot_nonneg).
    split; [apply Rmult_le_pos; auto; apply Rlt_le, Rinv_0_lt_compat; auto|].
    apply Rmult_le_reg_r with (size D); auto. unfold Rdiv; rewrite Rmult_assoc, Rinv_l; lra.
  Qed.

  Lemma quotient_is a b c : b <> 0 -> a / b = c <-> a = c * b.
  Proof. intros H; split; intros Q; [rewrite <- Q|rewrite Q]; field; auto. Qed.

  (* W8.b: alpha = 0 iff the mean is 0, where alpha has a value. *)
  Theorem coherence_zero D : is_distribution D -> 0 < size D ->
    (coherence D = 0 <-> equal (mean_vector D) (fun _ => 0)).
  Proof.
    intros P G; unfold coherence, equal. rewrite quotient_is, Rmult_0_l, pairwise_is_square, dot_zero by lra. tauto.
  Qed.

  (* W8.d: alpha = 1 iff all vectors of positive probability are equal. *)
  Theorem coherence_one D : is_distribution D -> 0 < size D ->
    (coherence D = 1 <-> forall o o', In o D -> In o' D -> 0 < fst o -> 0 < fst o' -> equal (snd o) (snd o')).
  Proof.
    intros P G. unfold coherence; rewrite quotient_is, Rmult_1_l by lra. assert (S := spread D P).
    set (distance := fun v => dot (fun i => v i - mean_vector D i) (fun i => v i - mean_vector D i)) in *.
    assert (Q : forall o, In o D -> 0 <= fst o * distance (snd o))
      by (intros o Ho; apply Rmult_le_pos; [apply (proj1 P); auto|apply dot_nonneg]).
    split.
    - intros H. assert (Z : forall o, In o D -> 0 < fst o -> equal (snd o) (mean_vector D)).
      { intros o Ho p i Hi. assert (fst o * distance (snd o) = 0)
          by (apply (sum_zero_inv _ D Q); auto; change (E distance D = 0); lra).
        assert (distance (snd o) = 0) by nra. unfold distance in *.
        assert (K := proj1 (dot_zero d _) H1 i Hi). simpl in K. lra. }
      intros o o' Ho Ho' p p' i Hi. rewrite (Z o), (Z o'); auto.
    - intros H. cut (E distance D = 0); [lra|]. apply sum_zero; intros o Ho.
      destruct (Rle_lt_or_eq_dec 0 (fst o) (proj1 P o Ho)) as [p|<-]; [|ring].
      assert (Z : distance (snd o) = 0); [|rewrite Z; ring].
      apply dot_zero; intros i Hi. enough (mean_vector D i = snd o i) by lra.
      unfold mean_vector. rewrite <- (E_const (snd o i) D P). apply sum_eq; intros o' Ho'.
      destruct (Rle_lt_or_eq_dec 0 (fst o') (proj1 P o' Ho')) as [p'|<-]; [|ring]. rewrite (H o' o); auto.
  Qed.

  Definition scaled (k : R) (D : distribution vector) : distribution vector :=
    map (fun o => (fst o, fun i => k * snd o i)) D.

  (* W8.e: scale invariance, k negative included. *)
  Theorem coherence_scaled k D : k <> 0 -> 0 < size D -> coherence (scaled k D) = coherence D.
  Proof.
    intros K G. assert (Es : size (scaled k D) = k * k * size D).
    { unfold size, scaled, E. rewrite sum_map, <- sum_scal. apply sum_eq; intros; simpl. rewrite dot_scal; ring. }
    assert (Ep : pairwise (scaled k D) = k * k * pairwise D).
    { unfold pairwise, scaled, E. rewrite sum_map, <- sum_scal. apply sum_eq; intros; simpl.
      rewrite sum_map, <- !sum_scal; apply sum_eq; intros; simpl. rewrite dot_scal; ring. }
    unfold coherence; rewrite Es, Ep. field; lra.
  Qed.

  (** * Means of k independent draws *)

  (* All k-tuples of outcomes, with the products of their weights. *)
  Fixpoint draws (k : nat) (D : distribution vector) : distribution (list vector) :=
    match k with
    | O => [(1, [])]
    | S k => flat_map (fun o => map (fun t => (fst o * fst t, snd o :: snd t)) (draws k D)) D
    end.

  Definition mean_of (tuple : list vector) : vector := fun i => mean (fun v => v i) tuple.
  Definition means (k : nat) (D : distribution vector) : distribution vector :=
    map (fun t => (fst t, mean_of (snd t))) (draws k D).

  Lemma E_draws h k D : E h (draws (S k) D) = E (fun v => E (fun t => h (v :: t)) (draws k D)) D.
  Proof.
    unfold E; simpl. rewrite sum_flat_map. apply sum_eq; intros o _. rewrite sum_map, <- sum_scal.
    apply sum_eq; intros; simpl; ring.
  Qed.

  Lemma draws_distribution k D : is_distribution D -> is_distribution (draws k D).
  Proof.
    intros P; induction k as [|k [IH1 IH2]]; split.
    - intros o [<-|[]]; simpl; lra.
    - simpl; lra.
    - intros o Ho; apply in_flat_map in Ho as [a [Ha Ho]]; apply in_map_iff in Ho as [t [<- Ht]].
      apply Rmult_le_pos; [apply P|apply IH1]; auto.
    - simpl. rewrite sum_flat_map. rewrite (sum_eq _ fst); [apply P|].
      intros o _. rewrite sum_map; simpl. rewrite sum_scal, IH2; ring.
  Qed.

  Lemma length_of_draw k D t : In t (draws k D) -> length (snd t) = k.
  Proof.
    revert t; induction k as [|k IH]; intros t Ht.
    - destruct Ht as [<-|[]]; auto.
    - apply in_flat_map in Ht as [a [_ Ht]]; apply in_map_iff in Ht as [u [<- Hu]]; simpl; rewrite IH; auto.
  Qed.

  Definition total (tuple : list vector) : vector := fun i => sum (fun v => v i) tuple.

  Lemma mean_of_total k D i : is_distribution D -> E (fun t => total t i) (draws k D) = INR k * mean_vector D i.
  Proof.
    intros P; induction k as [|k IH].
    - unfold E, total; simpl; ring.
    - rewrite E_draws, (E_eq _ (fun v => v i + INR k * mean_vector D i)).
      + rewrite E_plus, E_const, S_INR by auto. unfold mean_vector; ring.
      + intros o _. rewrite (E_eq _ (fun t => snd o i + total t i)) by reflexivity.
        rewrite E_plus, E_const, IH by (apply draws_distribution; auto). reflexivity.
  Qed.

  (* Of the k^2 pairs of draws k are of one draw with itself and k (k - 1) of two independent ones. *)
  Lemma size_of_total k D : is_distribution D ->
    E (fun t => dot (total t) (total t)) (draws k D) = INR k * size D + INR k * (INR k - 1) * pairwise D.
  Proof.
    intros P; induction k as [|k IH].
    - unfold E, dot, total; simpl. rewrite sum_zero; [ring|intros; ring].
    - rewrite E_draws. assert (PD := draws_distribution k D P).
      rewrite (E_eq _ (fun v => dot v v + (sum (fun i => 2 * INR k * mean_vector D i * v i) (seq 0 d)
        + E (fun t => dot (total t) (total t)) (draws k D)))).
      + rewrite !E_plus, E_const, IH, E_sum, pairwise_is_square, S_INR by auto.
        rewrite (sum_eq _ (fun i => 2 * INR k * (mean_vector D i * mean_vector D i)))
          by (intros; rewrite E_scal; unfold mean_vector; ring).
        rewrite sum_scal. unfold size; fold (dot (mean_vector D) (mean_vector D)). ring.
      + intros [p v] _; cbn [snd].
        rewrite (E_eq _ (fun t => dot v v + (sum (fun i => 2 * v i * total t i) (seq 0 d) + dot (total t) (total t)))).
        * rewrite !E_plus, E_const, E_sum by auto. f_equal; f_equal. apply sum_eq; intros i _.
          rewrite E_scal, mean_of_total by auto. ring.
        * intros t _. unfold dot; rewrite <- !sum_plus. apply sum_eq; intros; unfold total; simpl; ring.
  Qed.

  Lemma mean_of_draw k D t i : In t (draws k D) -> mean_of (snd t) i = / INR k * total (snd t) i.
  Proof. intros H; unfold mean_of, mean, total. rewrite (length_of_draw k D t H). unfold Rdiv; ring. Qed.

  Lemma means_distribution k D : is_distribution D -> is_distribution (means k D).
  Proof.
    intros P; destruct (draws_distribution k D P) as [Q T]; split.
    - intros o Ho; apply in_map_iff in Ho as [t [<- Ht]]; simpl; auto.
    - unfold means; rewrite sum_map; auto.
  Qed.

  Lemma pairwise_of_means k D : (1 <= k)%nat -> is_distribution D -> pairwise (means k D) = pairwise D.
  Proof.
    intros K P. assert (0 < INR k) by (apply lt_0_INR; lia).
    rewrite !pairwise_is_square. unfold dot; apply sum_eq; intros i _.
    enough (M : mean_vector (means k D) i = mean_vector D i) by (rewrite M; auto).
    unfold mean_vector at 1, means, E; rewrite sum_map; simpl.
    rewrite (sum_eq _ (fun t => / INR k * (fst t * total (snd t) i)))
      by (intros t Ht; rewrite (mean_of_draw k D t i Ht); ring).
    rewrite sum_scal. change (/ INR k * E (fun t => total t i) (draws k D) = mean_vector D i).
    rewrite mean_of_total by auto. field; lra.
  Qed.

  (* E|w|^2 = E|v|^2 / k + (1 - 1/k) |E v|^2 *)
  Lemma size_of_means k D : (1 <= k)%nat -> is_distribution D ->
    size (means k D) = size D / INR k + (1 - 1 / INR k) * pairwise D.
  Proof.
    intros K P. assert (0 < INR k) by (apply lt_0_INR; lia).
    unfold size at 1, means, E; rewrite sum_map; simpl.
    rewrite (sum_eq _ (fun t => / INR k * / INR k * (fst t * dot (total (snd t)) (total (snd t))))).
    - rewrite sum_scal. change (/ INR k * / INR k * E (fun t => dot (total t) (total t)) (draws k D)
        = size D / INR k + (1 - 1 / INR k) * pairwise D).
      rewrite size_of_total by auto. field; lra.
    - intros t Ht. transitivity (fst t * dot (fun i => / INR k * total (snd t) i) (fun i => / INR k * total (snd t) i)).
      + f_equal. unfold dot; apply sum_eq; intros; rewrite !(mean_of_draw k D t _ Ht); auto.
      + rewrite dot_scal; ring.
  Qed.

  (* W11: alpha(W) = k alpha(V) / (1 + (k - 1) alpha(V)). *)
  Theorem coherence_of_means k D : (1 <= k)%nat -> is_distribution D -> 0 < size D ->
    coherence (means k D) = INR k * coherence D / (1 + (INR k - 1) * coherence D).
  Proof.
    intros K P G. assert (1 <= INR k) by (change 1 with (INR 1); apply le_INR; auto).
    destruct (coherence_range D P G) as [A _].
    unfold coherence at 1; rewrite pairwise_of_means, size_of_means by auto.
    assert (Q : pairwise D = coherence D * size D) by (unfold coherence; field; lra).
    set (a := coherence D) in *. rewrite Q. assert (0 <= (INR k - 1) * a) by (apply Rmult_le_pos; lra).
    field. repeat split; try lra. nra.
  Qed.

  Lemma gain k D : (1 <= k)%nat -> is_distribution D -> 0 < size D ->
    coherence (means k D) - coherence D
    = (INR k - 1) * (coherence D * (1 - coherence D)) / (1 + (INR k - 1) * coherence D)
    /\ 0 < 1 + (INR k - 1) * coherence D.
  Proof.
    intros K P G. assert (1 <= INR k) by (change 1 with (INR 1); apply le_INR; auto).
    destruct (coherence_range D P G) as [A _]. rewrite coherence_of_means by auto.
    set (a := coherence D) in *. assert (0 <= (INR k - 1) * a) by (apply Rmult_le_pos; lra).
    split; [field|]; lra.
  Qed.

  (* W11.c: alpha(W) >= alpha(V). *)
  Theorem coherence_grows k D : (1 <= k)%nat -> is_distribution D -> 0 < size D -> coherence D <= coherence (means k D).
  Proof.
    intros K P G. assert (1 <= INR k) by (change 1 with (INR 1); apply le_INR; auto).
    destruct (coherence_range D P G) as [A B]. destruct (gain k D K P G) as [E1 E2].
    enough (0 <= coherence (means k D) - coherence D) by lra. rewrite E1.
    apply Rmult_le_pos; [|apply Rlt_le, Rinv_0_lt_compat; auto].
    apply Rmult_le_pos; [lra|apply Rmult_le_pos; lra].
  Qed.

  (* W11.a and W11.b: equality iff alpha(V) is 0 or 1, or k = 1, which the paper leaves out. *)
  Theorem coherence_stays k D : (1 <= k)%nat -> is_distribution D -> 0 < size D ->
    (coherence (means k D) = coherence D <-> coherence D = 0 \/ coherence D = 1 \/ k = 1%nat).
  Proof.
    intros K P G. destruct (gain k D K P G) as [E1 E2]. set (a := coherence D) in *.
    transitivity ((INR k - 1) * (a * (1 - a)) = 0).
    - split; intros H.
      + assert (Z : coherence (means k D) - a = 0) by lra. rewrite E1 in Z.
        apply quotient_is in Z; lra.
      + rewrite H in E1. unfold Rdiv in E1; lra.
    - split.
      + intros H. apply Rmult_integral in H as [H|H].
        * right; right. apply INR_eq. simpl; lra.
        * apply Rmult_integral in H as [H|H]; [left|right; left]; lra.
      + intros [-> | [-> | ->]]; [ring|ring|simpl; ring].
  Qed.

  (* W11.d: alpha(V) = alpha(W) / (k - (k - 1) alpha(W)). *)
  Theorem coherence_from_means k D : (1 <= k)%nat -> is_distribution D -> 0 < size D ->
    coherence D = coherence (means k D) / (INR k - (INR k - 1) * coherence (means k D)).
  Proof.
    intros K P G. assert (1 <= INR k) by (change 1 with (INR 1); apply le_INR; auto).
    destruct (coherence_range D P G) as [A _]. rewrite coherence_of_means by auto.
    set (a := coherence D) in *. assert (0 <= (INR k - 1) * a) by (apply Rmult_le_pos; lra).
    field. split; [lra|]. replace (_ - _) with (INR k); lra.
  Qed.

  (** * Samples of orthogonal gradients *)

  Definition sample (gradients : list vector) : distribution vector :=
    map (fun v => (1 / INR (length gradients), v)) gradients.

  Lemma sample_distribution gradients : gradients <> [] -> is_distribution (sample gradients).
  Proof.
    intros H. assert (L := length_pos _ H). split.
    - intros o Ho; apply in_map_iff in Ho as [v [<- _]]; simpl. apply Rlt_le, Rdiv_lt_0_compat; lra.
    - unfold sample; rewrite sum_map; simpl. rewrite sum_const. field; lra.
  Qed.

  Lemma size_of_sum gradients : ForallOrdPairs (fun u v => dot u v = 0) gradients ->
    dot (total gradients) (total gradients) = sum (fun v => dot v v) gradients.
  Proof.
    induction 1 as [|v l F H IH]; [unfold dot, total; simpl; apply sum_zero; intros; ring|].
    rewrite sum_cons, <- IH. assert (C : dot v (total l) = 0).
    { transitivity (sum (fun u => dot v u) l).
      - unfold dot, total. rewrite sum_swap. apply sum_eq; intros; rewrite sum_scal; auto.
      - rewrite Forall_forall in F; apply sum_zero; auto. }
    transitivity (dot v v + (2 * dot v (total l) + dot (total l) (total l))); [|rewrite C; ring].
    unfold dot; rewrite <- sum_scal, <- !sum_plus. apply sum_eq; intros; unfold total; simpl; ring.
  Qed.

  Lemma parts_of_sample gradients : gradients <> [] ->
    pairwise (sample gradients) = dot (total gradients) (total gradients) / INR (length gradients) ^ 2
    /\ size (sample gradients) = sum (fun v => dot v v) gradients / INR (length gradients).
  Proof.
    intros H. assert (L := length_pos _ H). split.
    - rewrite pairwise_is_square. set (m := INR (length gradients)) in *.
      assert (M : forall i, mean_vector (sample gradients) i = / m * total gradients i).
      { intros i; unfold mean_vector, E, sample, total. rewrite sum_map, <- sum_scal.
        apply sum_eq; intros; simpl; fold m. field; lra. }
      transitivity (dot (fun i => / m * total gradients i) (fun i => / m * total gradients i)).
      + unfold dot; apply sum_eq; intros; rewrite M; auto.
      + rewrite dot_scal. field; lra.
    - unfold size, E, sample. rewrite sum_map. unfold Rdiv; rewrite <- sum_scal_r.
      apply sum_eq; intros; simpl; ring.
  Qed.

  (* W9: pairwise orthogonal gradients, not all 0, have alpha = 1/m. *)
  Theorem coherence_of_orthogonal gradients : ForallOrdPairs (fun u v => dot u v = 0) gradients ->
    0 < size (sample gradients) -> coherence (sample gradients) = 1 / INR (length gradients).
  Proof.
    intros H G. assert (N : gradients <> []) by (intros ->; unfold size, E in G; simpl in G; lra).
    assert (L := length_pos _ N). destruct (parts_of_sample gradients N) as [Ep Es].
    unfold coherence; rewrite Ep, Es in *. rewrite size_of_sum by auto.
    assert (0 < sum (fun v => dot v v) gradients).
    { apply (Rmult_lt_compat_r (INR (length gradients))) in G; auto. unfold Rdiv in G.
      rewrite Rmult_assoc, Rinv_l in G; lra. }
    field; lra.
  Qed.

  (* Each of some gradients k times. *)
  Definition copies (k : nat) (gradients : list vector) : list vector := flat_map (fun v => repeat v k) gradients.

  Lemma sum_copies h k gradients : sum h (copies k gradients) = INR k * sum h gradients.
  Proof.
    unfold copies. rewrite sum_flat_map, <- sum_scal. apply sum_eq; intros v _.
    induction k as [|k IH]; [simpl; ring|]. rewrite S_INR. simpl. rewrite IH; ring.
  Qed.

  Lemma length_copies k gradients : INR (length (copies k gradients)) = INR k * INR (length gradients).
  Proof.
    assert (C := sum_copies (fun _ => 1) k gradients). rewrite !sum_const in C. lra.
  Qed.

  (* W9.a: k copies of n orthogonal gradients, not all 0, have alpha_m = 1/n, k times the orthogonal limit 1/m. *)
  Theorem coherence_of_copies k gradients : (1 <= k)%nat -> ForallOrdPairs (fun u v => dot u v = 0) gradients ->
    0 < size (sample gradients) ->
    let m := INR (length (copies k gradients)) in
    coherence (sample (copies k gradients)) = 1 / INR (length gradients)
    /\ coherence (sample (copies k gradients)) / (1 / m) = INR k.
  Proof.
    intros K H G m. rewrite <- coherence_of_orthogonal by auto.
    assert (N : gradients <> []) by (intros ->; unfold size, E in G; simpl in G; lra).
    assert (L := length_pos _ N). assert (P : 0 < INR k) by (apply lt_0_INR; lia).
    assert (Em : m = INR k * INR (length gradients)) by apply length_copies.
    assert (N' : copies k gradients <> []).
    { intros Z. unfold m in Em; rewrite Z in Em; simpl in Em.
      assert (0 < INR k * INR (length gradients)) by (apply Rmult_lt_0_compat; auto). lra. }
    destruct (parts_of_sample _ N) as [Ep Es], (parts_of_sample _ N') as [Ep' Es'].
    fold m in Ep', Es'. rewrite sum_copies in Es'.
    assert (T : dot (total (copies k gradients)) (total (copies k gradients))
      = INR k * INR k * dot (total gradients) (total gradients)).
    { rewrite <- dot_scal. unfold vectors.dot, total. apply sum_eq; intros i _. rewrite !sum_copies; ring. }
    assert (C : coherence (sample (copies k gradients)) = coherence (sample gradients)).
    { unfold coherence. rewrite Ep', Es', T, Em, Ep. rewrite Es in *.
      assert (0 < sum (fun v => dot v v) gradients).
      { apply (Rmult_lt_compat_r (INR (length gradients))) in G; auto. unfold Rdiv in G.
        rewrite Rmult_assoc, Rinv_l in G; lra. }
      field. repeat split; lra. }
    split; auto. rewrite C, coherence_of_orthogonal, Em by auto. field; lra.
  Qed.

  (* How many examples have a positive inner product with an example's gradient, itself among them; on average. *)
  Definition helped (gradients : list vector) : R :=
    mean (fun v => sum (fun u => if Rlt_dec 0 (dot v u) then 1 else 0) gradients) gradients.

  (* W9.c: each example helps alpha_m / (1/m) = k examples, itself among them; so k - 1 others, not k (W9.b). *)
  Theorem each_copy_helps k gradients : (1 <= k)%nat -> gradients <> [] ->
    ForallOrdPairs (fun u v => dot u v = 0) gradients -> (forall v, In v gradients -> 0 < dot v v) ->
    helped (copies k gradients) = INR k.
  Proof.
    intros K N H P. assert (L := length_pos _ N). assert (0 < INR k) by (apply lt_0_INR; lia).
    unfold helped, mean. rewrite sum_copies, length_copies.
    set (h := fun v u : vector => if Rlt_dec 0 (dot v u) then 1 else 0).
    rewrite (sum_eq _ (fun v => INR k * sum (h v) gradients)) by (intros; apply sum_copies). rewrite sum_scal.
    rewrite (ordered_pairs h).
    - rewrite (sum_eq _ (fun _ => 1)), sum_const.
      + assert (Z : over_pairs h gradients = 0); [|rewrite Z; field; lra]. apply sum_zero; intros p Hp. unfold h.
        assert (O : dot (fst p) (snd p) = 0); [|rewrite O; destruct (Rlt_dec 0 0); lra].
        clear - H Hp. induction H as [|v l F _ IH]; [easy|]. simpl in Hp. apply in_app_or in Hp as [Hp|Hp]; auto.
        apply in_map_iff in Hp as [u [<- Hu]]. rewrite Forall_forall in F; auto.
      + intros v Hv; unfold h. specialize (P v Hv). destruct (Rlt_dec 0 (dot v v)); lra.
    - intros u v; unfold h. replace (dot u v) with (dot v u) by (apply sum_eq; intros; ring). reflexivity.
  Qed.
End Coherence.

(* The printed case of W8, 2. needs its 'of positive probability': 1 and 2 with probabilities 1 and 0 differ. *)
Lemma impossible_vector_may_differ :
  let D := [(1, fun _ => 1); (0, fun _ => 2)] : distribution vector in
  is_distribution D /\ 0 < size 1 D /\ coherence 1 D = 1
  /\ ~ (forall o o', In o D -> In o' D -> equal 1 (snd o) (snd o')).
Proof.
  intros D; unfold coherence, pairwise, size, E, dot; simpl. repeat split.
  - intros o [<-|[<-|[]]]; simpl; lra.
  - simpl; lra.
  - lra.
  - field.
  - intros H. specialize (H (1, fun _ => 1) (0, fun _ => 2) ltac:(simpl; auto) ltac:(simpl; auto) 0%nat ltac:(lia)).
    simpl in H; lra.
Qed.
